/** A pool as clients see it: the record, what the machine said, and what may be done. Pure. */
import type { PoolReading, StoragePlugin } from '$lib/plugin-api/storage';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';
import { toleranceText } from '../plugins/registry';
import type { PoolRecord } from './store';
import { verbsOf } from './verbs';

/** What the machine said last, or why it could not be asked. */
export interface Reading {
  reading: PoolReading | null;
  error: string | null;
  readAt: number;
}
export interface DocumentFacts {
  record: PoolRecord;
  last: Reading | null;
  operation: Operation | null;
  plugin: StoragePlugin | null;
  unavailable: string | null;
  isPresent: (driveId: string) => boolean;
}

function membersOf({ record, last, isPresent }: DocumentFacts): PoolMember[] {
  return record.drives.map((row) => {
    const found = last?.reading?.members.find((member) => member.driveId === row.driveId);
    return {
      slot: row.slot,
      driveId: row.driveId,
      serial: row.serial,
      label: row.label,
      sizeBytes: row.sizeBytes,
      status: found?.status ?? (isPresent(row.driveId) ? 'unknown' : 'missing'),
      detail: found?.detail ?? null,
    };
  });
}

export function poolDocument(facts: DocumentFacts): Pool {
  const { record, last, operation, plugin, unavailable, isPresent } = facts;
  const layout = plugin?.layouts.find((candidate) => candidate.id === record.layout);
  const tolerance = layout?.tolerance(record.drives.length) ?? 0;
  const reading = last?.reading ?? null;
  const missing = record.drives
    .filter((row) => !isPresent(row.driveId))
    .map((row) => row.serial ?? row.label);
  const mounted = reading?.mounted ?? false;
  return {
    guid: record.guid,
    label: record.label,
    plugin: record.plugin,
    pluginName: plugin?.name ?? record.plugin,
    layout: record.layout,
    layoutTitle: layout?.title ?? record.layout,
    toleranceText: toleranceText(tolerance),
    options: record.options,
    state: record.state,
    poolStatus: reading?.poolStatus ?? null,
    health: reading?.health ?? 'unknown',
    healthText: reading ? reading.healthText : (last?.error ?? null),
    mountPath: record.mountPath,
    mounted,
    sizeBytes: reading?.sizeBytes ?? null,
    usedBytes: reading?.usedBytes ?? null,
    availableBytes: reading?.availableBytes ?? null,
    members: membersOf(facts),
    verbs: verbsOf({ state: record.state, mounted, operation, plugin, unavailable, missing, tolerance }),
    operationId: operation?.id ?? null,
    errorMessage: record.errorMessage,
    createdAt: record.createdAt,
    readAt: last?.readAt ?? null,
  };
}
