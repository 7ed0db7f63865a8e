/** What a pool that should be mounted waits for. Pure. */
import type { Operation } from '$lib/shared/wire/operations';
import type { PoolRecord } from './store';

export interface WaitingFacts {
  record: Pick<PoolRecord, 'state' | 'wantMounted'>;
  mounted: boolean;
  /** Has the machine been asked about it? */
  known: boolean;
  operation: Pick<Operation, 'id'> | null;
  /** Why its plugin cannot be used; null when it can. */
  unavailable: string | null;
  /** Drives that are not there, and how many the layout survives. */
  missing: string[];
  tolerance: number;
  mountError?: string | null;
  /** Why the machine that holds it cannot be reached; null: it can, or it is on drives. */
  gone?: string | null;
}

/** @returns null when it waits for nothing: it is mounted, or a person unmounted it, or an operation is at it */
export function waitingText(facts: WaitingFacts): string | null {
  const { record, mounted, known, operation, unavailable, missing, tolerance, mountError = null } = facts;
  if (!known || mounted || operation || !record.wantMounted || record.state !== 'ready') return null;
  if (unavailable) return `It waits for its plugin. ${unavailable}`;
  if (missing.length > 0) {
    const waits = `It waits for ${missing.length === 1 ? 'drive' : 'the drives'} ${missing.join(', ')}.`;
    return missing.length <= tolerance
      ? `${waits} It can be mounted without, if you want that: one more loss would then lose data.`
      : waits;
  }
  if (facts.gone) return `It waits for its server. ${facts.gone}`;
  return mountError
    ? `The last attempt to mount it failed. ${mountError}`
    : 'Something else than Cairn unmounted it. Cairn mounts it again at its next start, or when you say so.';
}
