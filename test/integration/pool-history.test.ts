/** The history of a pool, with a real database. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPoolHistory, recordEvent, type PoolHistory } from '$lib/server/pools/history';
import { insertPool } from '$lib/server/pools/store';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Operations } from '$lib/server/operations/types';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';
import { createServiceBench, type ServiceBench } from '../support/services';

const GUID = '7b1f0a52-3c1d-4e8a-9f60-000000000042';
const ended = (id: string, over: Partial<Operation> = {}): Operation =>
  ({
    ...{ id, seq: 1, kind: 'pool.mount', title: 'Mount pool "tank"', state: 'succeeded', verdict: null },
    ...{ subject: { type: 'pool', id: GUID, label: 'tank' }, endedAt: 1_000, error: null },
    ...over,
  }) as Operation;

let bench: ServiceBench;
let known: Operation[];
let pools: Pool[] = [];
let history: PoolHistory;
beforeEach(() => {
  bench = createServiceBench();
  known = [];
  const operations = {
    get: (id: string) => known.find((one) => one.id === id),
    page: () => ({ items: known, nextBefore: null }),
  } as unknown as Operations;
  history = createPoolHistory({
    ...{ ...bench.services, db: bench.db, operations },
    pools: { list: () => pools },
  });
});
afterEach(() => {
  history.stop();
  bench.close();
});
const texts = (): string[] => history.page(GUID, { limit: 50 }).items.map((event) => event.text);

describe('the history of a pool', () => {
  it('tells how an operation ended, once, also when the server is started again', () => {
    history.start();
    known = [ended('a')];
    bench.services.bus.emit('operation.ended', { id: 'a' });
    bench.services.bus.emit('operation.ended', { id: 'a' });
    history.start();
    expect(texts()).toEqual(['Mount pool "tank": done.']);
  });

  it('tells after a start what ended in the moment of a crash, with the verdict and the reason', () => {
    known = [
      ended('b', {
        state: 'failed',
        verdict: 'taken-back',
        error: { code: 'interrupted', message: 'Interrupted by a stop.', remedy: null },
      }),
      ended('c', { state: 'running' }),
      ended('d', { subject: { type: 'drive', id: 'x', label: 'x' } }),
    ];
    history.start();
    expect(texts()).toEqual(['Mount pool "tank": taken back after an interruption. Interrupted by a stop.']);
  });

  it('tells when a pool degraded and when it was whole again, but not that a removed one recovered', () => {
    history.start();
    const alert = {
      ...{ id: `pool:${GUID}:degraded`, kind: 'pool.degraded', title: 'Pool "tank" is degraded' },
      text: 'Drive WD-1 is not there.',
    } as Alert;
    const tell = (change: 'raised' | 'resolved'): void =>
      bench.services.bus.emit('alert.changed', { alert, change });
    tell('raised');
    expect(texts()).toEqual([]);
    bench.db.transaction((tx) =>
      insertPool(
        tx,
        {
          ...{
            guid: GUID,
            label: 'tank',
            plugin: 'btrfs',
            layout: 'raid1',
            options: {},
            mountPath: '/mnt/tank',
          },
          ...{ mountPathExisted: false, state: 'ready', wantMounted: true, createdAt: 1, updatedAt: 1 },
        },
        [],
      ),
    );
    tell('raised');
    tell('resolved');
    expect(texts()).toEqual([
      'Over: Pool "tank" is degraded.',
      'Pool "tank" is degraded. Drive WD-1 is not there.',
    ]);
  });

  it('tells what the kernel began and how it ended, once, also over a restart', () => {
    const doing = (kinds: string[], errors = 0): void => {
      const work = kinds.map((kind) => ({ kind, title: `Working on it (${kind})` }));
      const lastScrub = { endedAt: 1, state: 'finished', errors, uncorrectable: 0 };
      pools = [{ guid: GUID, poolStatus: 'active', work, lastScrub } as unknown as Pool];
      bench.services.bus.emit('pools.changed', {});
    };
    history.start();
    doing([]);
    doing(['scrub']);
    doing(['scrub']);
    history.stop();
    history = createPoolHistory({
      ...{ ...bench.services, db: bench.db, pools: { list: () => pools } },
      operations: { get: () => ended('x'), page: () => ({ items: [], nextBefore: null }) },
    });
    history.start();
    doing(['scrub', 'rebuild']);
    doing(['rebuild'], 3);
    doing([]);
    expect(texts().toReversed()).toEqual([
      'Scrub began: Working on it (scrub).',
      'Rebuild began: Working on it (rebuild).',
      'Scrub ended: 3 damaged places were found, 0 could not be mended.',
      'Rebuild ended.',
    ]);
    pools = [];
  });

  it('is read a page at a time, newest first, by whoever has the pool open', async () => {
    const told: string[] = [];
    bench.services.bus.on('pool.history', ({ guid }) => told.push(guid));
    for (const text of ['one', 'two', 'three'])
      recordEvent(
        { db: bench.db, bus: bench.services.bus },
        { poolGuid: GUID, at: 5, kind: 'outside', text },
      );
    const first = history.page(GUID, { limit: 2 });
    expect(first.items.map((event) => event.text)).toEqual(['three', 'two']);
    const rest = history.page(GUID.toUpperCase(), { limit: 2, before: first.nextBefore });
    expect(rest).toMatchObject({ items: [{ text: 'one', kind: 'outside' }], nextBefore: null });
    await Promise.resolve();
    expect(told).toEqual([GUID, GUID, GUID]);
  });

  it('forgets what happened more than three years ago', () => {
    const now = bench.services.clock.now();
    for (const at of [now - 4 * 365 * 86_400_000, now])
      recordEvent(
        { db: bench.db, bus: bench.services.bus },
        { poolGuid: GUID, at, kind: 'outside', text: `${at}` },
      );
    history.cleanUp();
    expect(texts()).toEqual([String(now)]);
  });
});
