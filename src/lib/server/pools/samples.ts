/**
 * How full pools were: each hour, and when much has changed since. Written from what the pools' documents say anyway;
 * nothing is asked for it but once an hour.
 */
import type { Pool } from '$lib/shared/wire/pools';
import type { PoolSample, SampleRange } from '$lib/shared/wire/pool-history';
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Bus } from '../events/bus';
import type { Pools } from './pool';
import {
  deleteSamples,
  insertSample,
  lastSample,
  sampledPools,
  samplesSince,
  timesBefore,
} from './samples-store';
import { beginOf, drawn, FINE_MS, forgotten } from './thinning';

/** A hundredth of the pool, and not more often than that. */
const MUCH = 0.01;
const SPACING_MS = 5 * 60_000;
const MOST_POINTS = 400;

export interface PoolSamples {
  /** Oldest first. @throws AppError pool_not_found */
  range(guid: string, range: SampleRange): PoolSample[];
  start(): void;
  stop(): void;
  /** By the clock, each hour. */
  take(): Promise<void>;
  /** By the clock, each night. */
  thin(): void;
}

export interface SampleParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  pools: Pick<Pools, 'list' | 'get' | 'refresh'>;
}

export function createPoolSamples({ db, bus, clock, pools }: SampleParts): PoolSamples {
  /** The last one of each pool: asked of the database once, then known. */
  const last = new Map<string, PoolSample | null>();
  let end: (() => void) | null = null;

  const lastOf = (guid: string): PoolSample | null => {
    const known = last.get(guid);
    if (known !== undefined) return known;
    const found = lastSample(db, guid);
    last.set(guid, found);
    return found;
  };

  function put({ guid, usedBytes, sizeBytes }: Pool, isDue: (before: PoolSample | null) => boolean): void {
    if (usedBytes === null || sizeBytes === null || !isDue(lastOf(guid))) return;
    const sample = { at: clock.now(), usedBytes, sizeBytes };
    insertSample(db, guid, sample);
    last.set(guid, sample);
  }
  function noteChanges(): void {
    for (const pool of pools.list())
      put(
        pool,
        (before) =>
          before === null ||
          before.sizeBytes !== pool.sizeBytes ||
          (Math.abs(before.usedBytes - (pool.usedBytes ?? 0)) >= MUCH * before.sizeBytes &&
            clock.now() - before.at >= SPACING_MS),
      );
  }

  return {
    range(guid, range) {
      const { guid: known } = pools.get(guid);
      return drawn(samplesSince(db, known, beginOf(range, clock.now())), MOST_POINTS);
    },
    start() {
      end = bus.on('pools.changed', noteChanges);
    },
    stop: () => end?.(),
    async take() {
      await pools.refresh();
      for (const pool of pools.list()) put(pool, () => true);
    },
    thin() {
      const now = clock.now();
      const gone = new Set(sampledPools(db));
      for (const { guid } of pools.list()) gone.delete(guid);
      for (const guid of sampledPools(db)) {
        const times = timesBefore(db, guid, gone.has(guid) ? now : now - FINE_MS + 1);
        deleteSamples(db, guid, gone.has(guid) ? times : forgotten(times, now));
      }
    },
  };
}
