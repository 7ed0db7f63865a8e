/** Used space over time, with a real database. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPoolSamples, type PoolSamples } from '$lib/server/pools/samples';
import type { Pool } from '$lib/shared/wire/pools';
import { createServiceBench, type ServiceBench } from '../support/services';

const GUID = '7b1f0a52-3c1d-4e8a-9f60-000000000042';
const HOUR = 3_600_000;
let bench: ServiceBench;
let samples: PoolSamples;
let pools: Pool[];

const uses = (usedBytes: number | null, guid = GUID): Pool =>
  ({ guid, usedBytes, sizeBytes: usedBytes === null ? null : 1_000 }) as Pool;
const becomes = (usedBytes: number | null): void => {
  pools = [uses(usedBytes)];
  bench.services.bus.emit('pools.changed', {});
};
const used = (range: 'day' | 'all' = 'all'): number[] =>
  samples.range(GUID, range).map((sample) => sample.usedBytes);

beforeEach(() => {
  bench = createServiceBench();
  pools = [];
  const get = (guid: string) => pools.find((pool) => pool.guid === guid) ?? uses(null, guid);
  samples = createPoolSamples({
    ...{ db: bench.db, bus: bench.services.bus, clock: bench.services.clock },
    pools: { list: () => pools, get, refresh: () => Promise.resolve() },
  });
  samples.start();
});
afterEach(() => {
  samples.stop();
  bench.close();
});

describe('used space', () => {
  it('is noted when it changes much, not with every byte, and not again and again', () => {
    becomes(100);
    becomes(105);
    becomes(300);
    expect(used()).toEqual([100]);
    bench.advance(6 * 60_000);
    becomes(300);
    becomes(305);
    expect(used()).toEqual([100, 300]);
  });

  it('is noted each hour although nothing changed, but not while nobody knows it', async () => {
    becomes(100);
    bench.advance(HOUR);
    await samples.take();
    becomes(null);
    bench.advance(HOUR);
    await samples.take();
    expect(used()).toEqual([100, 100]);
  });

  it('is given for the span that was asked for', async () => {
    becomes(100);
    bench.advance(30 * HOUR);
    becomes(200);
    expect(used('day')).toEqual([200]);
    expect(used('all')).toEqual([100, 200]);
  });

  it('is forgotten with its pool, and thinner when it is old', async () => {
    becomes(100);
    for (let hour = 0; hour < 48; hour += 1) {
      bench.advance(HOUR);
      await samples.take();
    }
    bench.advance(60 * 24 * HOUR);
    samples.thin();
    expect(used().length).toBeGreaterThan(0);
    expect(used().length).toBeLessThanOrEqual(4);
    pools = [];
    samples.thin();
    expect(used()).toEqual([]);
  });
});
