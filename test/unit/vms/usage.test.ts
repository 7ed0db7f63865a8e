import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VmUsage } from '$lib/plugin-api/vm';
import { createVmUsages, sampleOf, type VmUsages } from '$lib/server/vms/usage';
import type { VmUsageUpdate } from '$lib/shared/wire/vm-usage';
import { parseUsage } from '$plugins/libvirt/parse-domains';

const usage = (change: Partial<VmUsage> = {}): VmUsage => ({
  ...{ id: 'a', cpuNs: 0, memoryBytes: 1, readBytes: 0, writtenBytes: 0, receivedBytes: 0, sentBytes: 0 },
  ...change,
});
const SECOND = 1e9;

describe('a sample of what a machine uses', () => {
  it('is a share of all its CPUs, and bytes a second', () => {
    const now = usage({ cpuNs: 2 * SECOND, readBytes: 4096, writtenBytes: 8192, sentBytes: 10 });
    expect(sampleOf(usage(), now, { at: 7, seconds: 2, cpus: 4 })).toEqual({
      ...{ at: 7, cpuPercent: 25, memoryBytes: 1 },
      ...{ readRate: 2048, writeRate: 4096, receiveRate: 0, sendRate: 5 },
    });
  });
  it('is none when the machine was switched off and on in between', () => {
    expect(sampleOf(usage({ cpuNs: 9 }), usage(), { at: 7, seconds: 2, cpus: 1 })).toBeNull();
  });
});

describe('what libvirt says that machines use', () => {
  const ID = 'c7a5fdbd-cdaf-9455-926a-d65c16db1809';
  const text = (fields: string): string => `${ID} web\n\nDomain: 'web'\n${fields}\n`;
  it('is the sum over disks and cards, and memory in bytes', () => {
    const said = text(
      [
        '  cpu.time=1500000000',
        '  cpu.user=1000000000',
        '  balloon.current=32768',
        '  balloon.last-update=0',
        '  balloon.rss=2048',
        '  net.count=2',
        '  net.0.name=vnet0',
        '  net.0.rx.bytes=10',
        '  net.0.tx.bytes=20',
        '  net.1.rx.bytes=1',
        '  net.1.tx.bytes=2',
        '  block.count=2',
        '  block.0.rd.bytes=100',
        '  block.0.wr.bytes=200',
        '  block.1.rd.bytes=1',
        '  block.1.wr.bytes=2',
      ].join('\n'),
    );
    expect(parseUsage(said)).toEqual([
      {
        ...{ id: ID, cpuNs: 1.5 * SECOND, memoryBytes: 2 * 1024 ** 2 },
        ...{ readBytes: 101, writtenBytes: 202, receivedBytes: 11, sentBytes: 22 },
      },
    ]);
  });
  it('lacks what only a guest that does not answer knows', () => {
    expect(parseUsage(text('  cpu.time=5'))).toEqual([usage({ id: ID, cpuNs: 5, memoryBytes: null })]);
  });
  it('leaves out a machine that has just gone off', () => {
    expect(parseUsage(text('  net.count=0'))).toEqual([]);
  });
  it.each(['  cpu.time=much', '  cpu.time=', '  cpu.time=-1', 'nonsense'])('is an error: %j', (fields) => {
    expect(() => parseUsage(text(fields))).toThrow();
  });
});

describe('what machines use is asked for', () => {
  let asked: number;
  let answer: () => VmUsage[];
  let usages: VmUsages;
  const now = { wall: 1_000_000, elapsed: 0 };
  beforeEach(() => {
    vi.useFakeTimers();
    asked = 0;
    let cpuNs = 0;
    answer = () => ['a', 'b'].map((id) => usage({ id, cpuNs: (cpuNs += SECOND / 2) }));
    usages = createVmUsages({
      plugins: {
        vmPlugins: () => ['libvirt'],
        vmUsage: async () => {
          asked += 1;
          return answer();
        },
      },
      cpus: () => new Map([['a', 1]]),
      clock: { now: () => now.wall, elapsed: () => now.elapsed },
      log: { debug: () => undefined },
    });
  });
  afterEach(() => vi.useRealTimers());

  async function pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
    for (let left = ms; left > 0; left -= 1_000) {
      now.wall += 1_000;
      now.elapsed += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
  }
  function follow(id: string | null): { updates: VmUsageUpdate[]; end: () => void } {
    const updates: VmUsageUpdate[] = [];
    const controller = new AbortController();
    void (async () => {
      for await (const update of usages.follow(id, controller.signal)) updates.push(update);
    })();
    return { updates, end: () => controller.abort() };
  }

  it('only while somebody looks, once for all who do', async () => {
    await pass(10_000);
    expect(asked).toBe(0);
    const [one, two] = [follow('a'), follow(null)];
    await pass(10_000);
    expect(asked).toBe(6);
    expect(one.updates).toHaveLength(5);
    expect(two.updates).toEqual(one.updates);
    expect(one.updates[0]?.['a']?.[0]?.cpuPercent).toBe(50);
    one.end();
    await pass(2_000);
    expect(asked).toBe(7);
    two.end();
    await pass(10_000);
    expect(asked).toBe(7);
  });

  it('and who comes later gets the last minutes first', async () => {
    const one = follow('a');
    await pass(10_000);
    const two = follow('a');
    await pass(1);
    expect(two.updates[0]?.['a']).toHaveLength(5);
    one.end();
    two.end();
    await pass(1_000);
  });

  it('and a pause in which nobody looked gives no sample over it', async () => {
    const one = follow('a');
    await pass(4_000);
    one.end();
    await pass(60_000);
    const two = follow('a');
    await pass(4_000);
    const times = two.updates.flatMap((update) => update['a'] ?? []).map(({ at }) => at);
    expect(Math.max(...times.map((at, index) => at - (times[index - 1] ?? at)))).toBeGreaterThan(50_000);
    expect(
      two.updates.flatMap((update) => update['a'] ?? []).every(({ cpuPercent }) => cpuPercent <= 100),
    ).toBe(true);
    two.end();
    await pass(1_000);
  });

  it('and who comes after hours in which nobody looked is not shown what was used then', async () => {
    const one = follow('a');
    await pass(4_000);
    one.end();
    now.wall += 3 * 3_600_000;
    now.elapsed += 3 * 3_600_000;
    const two = follow('a');
    await pass(4_000);
    const times = two.updates.flatMap((update) => update['a'] ?? []).map(({ at }) => at);
    expect(times.length).toBeGreaterThan(0);
    expect(Math.min(...times)).toBeGreaterThan(now.wall - 10_000);
    two.end();
    await pass(1_000);
  });

  it('and an engine that does not answer ends nothing', async () => {
    const working = answer;
    const one = follow('a');
    await pass(4_000);
    answer = () => {
      throw new Error('not now');
    };
    await pass(6_000);
    const before = one.updates.length;
    answer = working;
    await pass(4_000);
    expect(one.updates.length).toBeGreaterThan(before);
    one.end();
    await pass(1_000);
  });
});
