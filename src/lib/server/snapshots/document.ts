/** The snapshots of a pool as clients see them. Pure. */
import type { SnapshotReading } from '$lib/plugin-api/storage';
import { readName } from '$lib/shared/snapshot-names';
import type { PoolSnapshots, Snapshot, SnapshotSchedule } from '$lib/shared/wire/snapshots';
import { originByName, type ScheduleRow, type SnapshotRow } from './store';
import { nextRuns, textOf } from './timing';

/** What the pool said last. */
export interface SnapshotsRead {
  list: SnapshotReading[];
  createWhy: string | null;
  rollBackWhy: string | null;
  measurable: boolean;
  error: string | null;
  readAt: number;
}

function snapshotView(reading: SnapshotReading, row: SnapshotRow | undefined): Snapshot {
  const named = readName(reading.name);
  return {
    name: reading.name,
    // The tools tell when a piece of storage was made; of what a roll back kept, that is not when it was kept.
    createdAt: row?.madeAt ?? named.at ?? reading.createdAt,
    origin: row?.origin ?? originByName(reading.name),
    madeBy: row?.madeBy ?? null,
    protected: row?.protected ?? false,
    tier: named.tier,
    readOnly: reading.readOnly,
    exclusiveBytes: reading.exclusiveBytes,
    path: reading.path,
  };
}

export const scheduleView = (row: ScheduleRow, now: number): SnapshotSchedule => ({
  tier: row.tier,
  timing: row.timing,
  keep: row.keep,
  enabled: row.enabled,
  text: textOf(row.tier, row.timing),
  nextRunAt: row.enabled ? (nextRuns(row.tier, row.timing, now, 1)[0] ?? null) : null,
  lastRunAt: row.lastRunAt,
  lastError: row.lastError,
});

const UNREAD: SnapshotsRead = {
  ...{ list: [], measurable: false, error: null, readAt: 0 },
  ...{ createWhy: 'Its snapshots have not been read yet.', rollBackWhy: null },
};

export function snapshotsDocument(
  guid: string,
  facts: { read: SnapshotsRead | null; rows: SnapshotRow[]; schedules: ScheduleRow[]; now: number },
): PoolSnapshots {
  const read = facts.read ?? UNREAD;
  const rows = new Map(facts.rows.map((row) => [row.name, row]));
  return {
    id: guid,
    createWhy: read.createWhy,
    rollBackWhy: read.rollBackWhy,
    measurable: read.measurable,
    snapshots: read.list
      .map((reading) => snapshotView(reading, rows.get(reading.name)))
      .sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0) || b.name.localeCompare(a.name)),
    schedules: facts.schedules.map((row) => scheduleView(row, facts.now)),
    error: read.error,
    readAt: facts.read === null ? null : read.readAt,
  };
}
