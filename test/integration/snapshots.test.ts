/** Who may do what with snapshots, and what schedules say when they fail. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { scheduleConditions } from '$lib/server/alerts/schedule-conditions';
import {
  deleteSchedule,
  forgetOthers,
  insertSnapshot,
  noteRun,
  putSchedule,
  scheduleRows,
  snapshotRows,
} from '$lib/server/snapshots/store';
import { snapshotsDocument } from '$lib/server/snapshots/document';
import { appRouter } from '$lib/server/trpc/app-router';
import type { Snapshots } from '$lib/server/snapshots/snapshots';
import type { Operations } from '$lib/server/operations/types';
import type { Pool } from '$lib/shared/wire/pools';
import { actorOf, contextOf, createServiceBench, type ServiceBench } from '../support/services';

const GUID = '7b1f0a52-3c1d-4e8a-9f60-0000000000c1';
const timing = { minute: 0, hour: 3, weekday: 0, day: 1 };
const daily = { tier: 'daily', timing, keep: 7, enabled: true } as const;

let bench: ServiceBench;
const start = vi.fn(() => Promise.resolve({ id: 'op' }));
const snapshots = {
  read: vi.fn(() => Promise.resolve({})),
  files: vi.fn(),
  measure: vi.fn(),
  schedule: vi.fn(),
  protect: vi.fn(),
};
beforeEach(() => {
  vi.clearAllMocks();
  bench = createServiceBench({
    operations: { start } as unknown as Operations,
    snapshots: snapshots as unknown as Snapshots,
  });
});
afterEach(() => bench.close());
const callerOf = (role: 'viewer' | 'operator') =>
  appRouter.createCaller(contextOf(bench.services, actorOf(role)));

describe('a viewer', () => {
  it('sees snapshots and schedules, and changes, measures and looks into none', async () => {
    const viewer = callerOf('viewer');
    await viewer.snapshots.read({ guid: GUID });
    expect(snapshots.read).toHaveBeenCalledOnce();
    await viewer.snapshots.previewSchedule({ tier: 'daily', timing, keep: 7 });
    const one = { guid: GUID, name: 'one' };
    const request = { verb: 'roll-back', poolGroupGuid: GUID, name: 'one' } as const;
    for (const refused of [
      viewer.snapshots.start({ request }),
      viewer.snapshots.preview({ request }),
      viewer.snapshots.files(one),
      viewer.snapshots.measure(one),
      viewer.snapshots.protect({ ...one, value: true }),
      viewer.snapshots.schedule({ guid: GUID, schedule: daily }),
      viewer.snapshots.unschedule({ guid: GUID, tier: 'daily' }),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(start).not.toHaveBeenCalled();
  });
});

describe('an operator', () => {
  it('starts operations, and cannot pass for the schedule', async () => {
    const operator = callerOf('operator');
    await operator.snapshots.start({ request: { verb: 'create', poolGroupGuid: GUID, name: 'one' } });
    expect(start).toHaveBeenCalledWith(
      expect.objectContaining({
        kind: 'pool.snapshot.create',
        request: { poolGroupGuid: GUID, name: 'one' },
        actor: actorOf('operator'),
      }),
    );
    const sly = { verb: 'create', poolGroupGuid: GUID, tier: 'daily' } as never;
    await expect(operator.snapshots.start({ request: sly })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    for (const bad of [
      { ...daily, keep: 0 },
      { ...daily, timing: { ...timing, day: 31 } },
      { ...daily, timing: { ...timing, hour: 24 } },
    ])
      await expect(operator.snapshots.schedule({ guid: GUID, schedule: bad })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      });
  });
});

describe('a schedule in the database', () => {
  it('is one for each kind of a pool, begins anew when it is changed, and goes with its pool', () => {
    const { db } = bench;
    putSchedule(db, GUID, daily, 1_000);
    noteRun(db, { poolGuid: GUID, tier: 'daily' }, { lastRunAt: 2_000, lastError: 'no' });
    putSchedule(db, GUID, { ...daily, keep: 3 }, 3_000);
    putSchedule(db, GUID, { ...daily, tier: 'hourly' }, 3_000);
    expect(scheduleRows(db, GUID)).toMatchObject([
      { tier: 'hourly' },
      { tier: 'daily', keep: 3, timing, lastRunAt: null, lastError: null, createdAt: 3_000 },
    ]);
    expect(deleteSchedule(db, GUID, 'hourly')).toBe(true);
    db.transaction((tx) =>
      insertSnapshot(tx, { poolGuid: GUID, name: 'one', madeAt: 1, origin: 'person', operationId: 'none' }),
    );
    forgetOthers(db, [GUID]);
    expect([scheduleRows(db).length, snapshotRows(db, GUID).length]).toEqual([1, 1]);
    forgetOthers(db, ['another']);
    expect([scheduleRows(db).length, snapshotRows(db, GUID).length]).toEqual([0, 0]);
  });

  it('that fails is an alert with the reason, until it succeeds or is switched off', () => {
    const { db } = bench;
    const pool = { guid: GUID, label: 'tank' } as Pool;
    putSchedule(db, GUID, daily, 1_000);
    const alerts = () => {
      const schedules = scheduleRows(db, GUID);
      return scheduleConditions(
        [snapshotsDocument(GUID, { read: null, rows: [], schedules, now: 5_000 })],
        [pool],
      );
    };
    expect(alerts()).toEqual([]);
    noteRun(db, { poolGuid: GUID, tier: 'daily' }, { lastRunAt: 2_000, lastError: 'It is full.' });
    expect(alerts()).toMatchObject([
      { id: `pool:${GUID}:snapshot-schedule:daily`, severity: 'warning', text: 'It is full.' },
    ]);
    putSchedule(db, GUID, { ...daily, enabled: false }, 3_000);
    noteRun(db, { poolGuid: GUID, tier: 'daily' }, { lastError: 'It is full.' });
    expect(alerts()).toEqual([]);
    putSchedule(db, GUID, daily, 3_000);
    noteRun(db, { poolGuid: GUID, tier: 'daily' }, { lastRunAt: 4_000, lastError: null });
    expect(alerts()).toEqual([]);
  });
});
