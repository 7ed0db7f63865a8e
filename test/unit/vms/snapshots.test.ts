import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '$lib/server/errors';
import { createVmSnapshots, type VmSnapshotReadings } from '$lib/server/vms/snapshots';
import type { VmSnapshots } from '$lib/shared/wire/vm-snapshots';

vi.mock('$lib/server/vms/store', () => ({
  NO_POOL: 'none',
  findVm: (_db: unknown, id: string) =>
    id === 'gone' ? null : { id, name: 'web', plugin: 'toy', state: 'ready', spec: { id } },
}));

type Heard = (news: { plugin?: string; id?: string }) => void;
let listeners: Map<string, Heard>;
let answer: () => Promise<{ snapshots: { name: string; createdAt: number }[] }>;
let asked: number;
let status: string;
let noted: string;
let readings: VmSnapshotReadings;
const names = ({ snapshots }: VmSnapshots): string[] => snapshots.map(({ name }) => name);
const listed = (...all: string[]) =>
  Promise.resolve({ snapshots: all.map((name, index) => ({ name, createdAt: index })) });

beforeEach(() => {
  vi.useFakeTimers();
  listeners = new Map();
  answer = () => listed('a');
  [asked, status] = [0, 'stopped'];
  noted = mkdtempSync(join(tmpdir(), 'cairn-noted-'));
  readings = createVmSnapshots({
    log: { debug: () => undefined },
    db: {},
    bus: {
      on(name: string, hear: Heard) {
        listeners.set(name, hear);
        return () => listeners.delete(name);
      },
    },
    clock: { now: () => 7 },
    plugins: {
      knownVm: () => ({ snapshots: { folders: () => [noted, join(noted, 'web')] } }),
      vmSnapshots: async () => {
        asked += 1;
        return { takeWhy: null, strays: [], facts: {}, ...(await answer()) };
      },
    },
    readings: { of: () => status },
  } as unknown as Parameters<typeof createVmSnapshots>[0]);
  readings.start();
});
afterEach(() => {
  readings.stop();
  rmSync(noted, { recursive: true });
  vi.useRealTimers();
});

async function follow(ending: AbortController) {
  const stream = readings.follow('x', ending.signal);
  const next = async (): Promise<VmSnapshots> => {
    const { value } = await stream.next();
    if (!value) throw new Error('the stream has ended');
    return value;
  };
  return { stream, next, now: await next() };
}

describe('snapshots that somebody looks at', () => {
  it('are read again when the engine says something, and told only when they have changed', async () => {
    const ending = new AbortController();
    const { next, now } = await follow(ending);
    expect(now).toMatchObject({ id: 'x', error: null, readAt: 7 });
    const later = next();
    listeners.get('machines.changed')?.({ plugin: 'another' });
    listeners.get('machines.changed')?.({ plugin: 'toy' });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toBe(2);
    answer = () => listed('a', 'b');
    listeners.get('vm.changed')?.({ id: 'x' });
    expect(names(await later)).toEqual(['a', 'b']);
    ending.abort();
  });

  it('are read again when something changes where they are noted, since nobody tells of a machine that is off', async () => {
    vi.useRealTimers();
    const ending = new AbortController();
    const { next, stream } = await follow(ending);
    const later = next();
    answer = () => listed('a', 'b');
    // The first one of all: the machine had no folder before.
    mkdirSync(join(noted, 'web'));
    expect(names(await later)).toEqual(['a', 'b']);
    const evenLater = next();
    answer = () => listed();
    writeFileSync(join(noted, 'web', 'c.xml'), '');
    expect(names(await evenLater)).toEqual([]);
    const end = stream.next();
    ending.abort();
    expect((await end).done).toBe(true);
    const before = asked;
    writeFileSync(join(noted, 'web', 'd.xml'), '');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toBe(before);
  });

  it('stay as they were, with the reason, when they cannot be read', async () => {
    const ending = new AbortController();
    const { next } = await follow(ending);
    const later = next();
    answer = () => Promise.reject(new AppError('command_failed', 'virsh failed.', { remedy: 'Start it.' }));
    await readings.refresh('x');
    const seen = await later;
    expect(names(seen)).toEqual(['a']);
    expect(seen).toMatchObject({ error: 'virsh failed. Start it.', takeWhy: 'They could not be read.' });
    ending.abort();
  });
});

describe('snapshots that nobody looks at', () => {
  it('are not read when something changes', async () => {
    await readings.refresh('x');
    listeners.get('machines.changed')?.({ plugin: 'toy' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(0);
  });
  it('are read when they are asked for, and none can be taken of a machine that its engine forgot', async () => {
    expect(names(await readings.read('x'))).toEqual(['a']);
    status = 'missing';
    expect((await readings.read('x')).takeWhy).toMatch(/Start it once first/);
    expect(() => readings.read('gone')).toThrow(/no machine/);
  });
});
