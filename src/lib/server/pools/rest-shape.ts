/** The pool answers of the REST interface, exactly. Pure. */
import type { PoolState, PoolStatus, MemberStatus } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';
import { usePercent } from '$lib/shared/units';

export type RestPool =
  | { state: 'creating'; poolStatus: null; drives: [] }
  | { state: 'failed'; errorMessage: string }
  | { state: 'deleted' }
  | {
      state: PoolState;
      poolStatus: PoolStatus | null;
      size: number | null;
      used: number | null;
      available: number | null;
      usePercent: string | null;
      mountPath: string;
      drives: { serial: string | null; label: string; status: MemberStatus }[];
      errorMessage?: string;
    };

function ofOperation(operation: Operation): RestPool {
  const gone = operation.kind === 'pool.remove' || operation.kind === 'pool.release';
  if (gone && operation.state === 'succeeded') return { state: 'deleted' };
  return {
    state: 'failed',
    errorMessage: operation.error?.message ?? `${operation.title}: ${operation.state}`,
  };
}

/** @param source the pool; or, when there is none any more, the operation that made or removed it last */
export function restPool(source: Pool | Operation): RestPool {
  if (!('guid' in source)) return ofOperation(source);
  if (source.state === 'creating') return { state: 'creating', poolStatus: null, drives: [] };
  return {
    state: source.state,
    poolStatus: source.poolStatus,
    size: source.sizeBytes,
    used: source.usedBytes,
    available: source.availableBytes,
    usePercent: usePercent(source.usedBytes, source.availableBytes),
    mountPath: source.mountPath,
    drives: source.members.map(({ serial, label, status }) => ({ serial, label, status })),
    ...(source.errorMessage === null ? {} : { errorMessage: source.errorMessage }),
  };
}
