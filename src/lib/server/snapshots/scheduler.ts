/**
 * Takes snapshots by the clock and removes those that are too many. Asked once a minute; it only starts operations, one
 * after another, and what it missed it makes up for once.
 */
import type { Actor } from '$lib/shared/wire/session';
import { AppError, toAppError } from '../errors';
import type { Operation } from '$lib/shared/wire/operations';
import { findPool, listPools, type PoolRecord } from '../pools/store';
import { KINDS } from './operations';
import type { SnapshotDeps, Snapshots } from './snapshots';
import { forgetOthers, noteRun, scheduleRows, snapshotRows, type ScheduleRow } from './store';
import { isDue, lastDue, tooMany } from './timing';

export const SCHEDULER: Actor = {
  ...{ kind: 'system', id: 'schedule', name: 'schedule', role: 'admin', sessionId: null },
};
/** So long a run may wait for another operation on its pool before somebody is told. */
const PATIENCE_MS = 3_600_000;

/** It could not even begin, as when the pool is not mounted yet after a start: made up for as soon as it can. */
const STILL_DUE = new Set(['locked', 'pool_wrong_state']);

export interface Scheduler {
  /** By the clock. Resolves when everything that was due has been done. */
  tick(): Promise<void>;
}

type Deps = Pick<SnapshotDeps, 'db' | 'clock' | 'log' | 'operations' | 'bus'> & { snapshots: Snapshots };

export function createScheduler({ db, clock, log, operations, bus, snapshots }: Deps): Scheduler {
  let working = false;

  /** @throws AppError locked, or why it could not begin or did not end well */
  async function run(
    kind: string,
    request: { poolGroupGuid: string } & Record<string, string>,
  ): Promise<Operation> {
    const { id } = await operations.start({ kind, request, actor: SCHEDULER });
    const ended = await operations.wait(id);
    if (ended.state === 'succeeded') return ended;
    throw new AppError(
      'postcondition',
      `${ended.title}: ${ended.error?.message ?? `it is ${ended.state}`}`,
      ended.error?.remedy ? { remedy: ended.error.remedy } : {},
    );
  }

  async function prune({ poolGuid, tier, keep }: ScheduleRow): Promise<void> {
    const { snapshots: list, error } = await snapshots.read(poolGuid);
    if (error !== null) throw new AppError('postcondition', error);
    const rows = snapshotRows(db, poolGuid).filter((row) => row.origin === 'schedule' && !row.protected);
    const ours = new Set(rows.map(({ name }) => name));
    const names = list.map(({ name }) => name);
    for (const name of tooMany(names, { tier, keep, now: clock.now() }, (one) => ours.has(one)))
      await run(KINDS.delete, { poolGroupGuid: poolGuid, name });
  }

  async function perform(row: ScheduleRow, record: PoolRecord): Promise<void> {
    const { tier, timing, poolGuid } = row;
    const now = clock.now();
    try {
      await run(KINDS.create, { poolGroupGuid: poolGuid, tier });
      noteRun(db, row, { lastRunAt: now, lastError: null });
      await prune(row);
    } catch (thrown) {
      const error = toAppError(thrown);
      // Another operation has the pool: asked again in a minute, and what is too many goes with the next run.
      if (error.code === 'locked' && now - lastDue(tier, timing, now) < PATIENCE_MS) return;
      const text = [error.message, error.remedy].filter(Boolean).join(' ');
      if (text !== row.lastError) log.warn({ error, pool: record.guid, tier }, 'a scheduled snapshot failed');
      noteRun(db, row, { lastError: text, ...(STILL_DUE.has(error.code) ? {} : { lastRunAt: now }) });
    }
    snapshots.publish();
    bus.emit('snapshots.scheduled', { poolGuid });
  }

  async function work(): Promise<void> {
    forgetOthers(
      db,
      listPools(db).map(({ guid }) => guid),
    );
    for (const row of scheduleRows(db)) {
      const record = findPool(db, row.poolGuid);
      // One that the user unmounted has nothing new to keep.
      if (!row.enabled || record?.state !== 'ready') continue;
      if (isDue(row.tier, row.timing, row.lastRunAt ?? row.createdAt, clock.now()))
        await perform(row, record);
    }
    snapshots.publish();
  }

  return {
    async tick() {
      if (working) return;
      working = true;
      try {
        await work();
      } finally {
        working = false;
      }
    },
  };
}
