/** A pool as clients see it: the record, what the machine said, and what may be done. Pure. */
import type { PoolReading, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';
import { toleranceText } from '../plugins/capacity';
import { replacementBytes } from './change-rules';
import { judgementOf } from './lost-drives';
import { specOf } from './spec';
import type { PoolRecord } from './store';
import { verbsOf } from './verbs';
import { waitingText } from './waiting';

/** What the machine said last, or why it could not be asked. */
export interface Reading {
  reading: PoolReading | null;
  error: string | null;
  readAt: number;
  /** The drives that the pool had when it was asked. */
  drives: PoolRecord['drives'];
}
export interface DocumentFacts {
  record: PoolRecord;
  last: Reading | null;
  operation: Operation | null;
  plugin: StoragePlugin | null;
  unavailable: string | null;
  lastEventId?: number | null;
  /** Why the last mount of it failed; null: it did not. */
  mountError?: string | null;
  isPresent: (driveId: string) => boolean;
}

/** Enough of the pool for rules that look at members: what is on the drives is not read for a document. */
const roughSpec = ({ record, isPresent }: DocumentFacts): PoolSpec =>
  specOf(record, (id) => (isPresent(id) ? { contentHash: 'unread', partitions: [], present: true } : null));

function leastBytes(plugin: StoragePlugin | null, spec: PoolSpec, slot: number): number {
  const old = spec.drives.find((drive) => drive.slot === slot);
  if (!old) return 0;
  return plugin ? replacementBytes(plugin, spec, old) : old.sizeBytes;
}

const idsOf = (drives: PoolRecord['drives']): string =>
  drives
    .map(({ driveId }) => driveId)
    .toSorted()
    .join();

/**
 * Its drives and what was said of them are of one moment: those that have joined or left since then show with the next
 * answer, which is on its way.
 */
function driveRows({ record, last }: DocumentFacts): PoolRecord['drives'] {
  return last?.reading && idsOf(last.drives) !== idsOf(record.drives) ? last.drives : record.drives;
}

function membersOf(facts: DocumentFacts, spec: PoolSpec): PoolMember[] {
  const { last, plugin, isPresent } = facts;
  return driveRows(facts).map((row) => {
    const found = last?.reading?.members.find((member) => member.driveId === row.driveId);
    return {
      slot: row.slot,
      driveId: row.driveId,
      serial: row.serial,
      label: row.label,
      sizeBytes: row.sizeBytes,
      role: row.role,
      replacementBytes: leastBytes(plugin, spec, row.slot),
      // That a drive has left is known before its pool has been asked about it.
      status: isPresent(row.driveId) ? (found?.status ?? 'unknown') : 'missing',
      detail: isPresent(row.driveId) ? (found?.detail ?? null) : null,
    };
  });
}

/** null: on drives. */
function sourceOf(plugin: StoragePlugin | null, spec: PoolSpec): string | null {
  try {
    return plugin?.sourceOf?.(spec) ?? null;
  } catch {
    // A record that its plugin does not understand: its reading says so.
    return null;
  }
}

export function poolDocument(facts: DocumentFacts): Pool {
  const { record, last, operation, plugin, unavailable, isPresent } = facts;
  const layout = plugin?.layouts.find((candidate) => candidate.id === record.layout);
  const tolerance = layout?.tolerance(record.drives.filter((row) => row.role === 'data').length) ?? 0;
  const reading = last?.reading ?? null;
  const missing = record.drives
    .filter((row) => !isPresent(row.driveId))
    .map((row) => row.serial ?? row.label);
  const mounted = reading?.mounted ?? false;
  const judged = reading && judgementOf(reading, { drives: driveRows(facts), tolerance, isPresent });
  const spec = roughSpec(facts);
  const source = sourceOf(plugin, spec);
  // Nothing on this machine can be done about it: it is over when the other one is back, as the next reading tells.
  const gone = source !== null && judged?.health === 'critical' ? judged.healthText : null;
  return {
    guid: record.guid,
    label: record.label,
    plugin: record.plugin,
    pluginName: plugin?.name ?? record.plugin,
    layout: record.layout,
    layoutTitle: layout?.title ?? record.layout,
    toleranceText: source === null ? toleranceText(tolerance) : 'leaves its drives to the server',
    options: record.options,
    state: gone !== null && record.state === 'ready' ? 'error' : record.state,
    poolStatus: judged?.poolStatus ?? null,
    health: judged?.health ?? 'unknown',
    healthText: judged ? judged.healthText : (last?.error ?? null),
    mountPath: record.mountPath,
    mounted,
    waiting: waitingText({ ...facts, mounted, known: last !== null, missing, tolerance, gone }),
    sizeBytes: reading?.sizeBytes ?? null,
    usedBytes: reading?.usedBytes ?? null,
    availableBytes: reading?.availableBytes ?? null,
    source,
    members: membersOf(facts, spec),
    roles: (plugin?.roles ?? []).filter((role) => role !== 'data'),
    work: reading?.work ?? [],
    lastScrub: reading?.lastScrub ?? null,
    verbs: verbsOf({
      ...{ state: record.state, mounted, operation, plugin, unavailable, missing, tolerance },
      ...{ spec, reading, gone },
    }),
    operationId: operation?.id ?? null,
    errorMessage: record.errorMessage ?? (record.state === 'ready' ? gone : null),
    lastEventId: facts.lastEventId ?? null,
    createdAt: record.createdAt,
    readAt: last?.readAt ?? null,
  };
}
