import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VmReading } from '$lib/plugin-api/vm';
import { createBus, type Bus } from '$lib/server/events/bus';
import { createVmReadings, type VmReadings } from '$lib/server/vms/readings';

/** Questions that wait for their answer, oldest first. */
const asked: { answer: (readings: VmReading[]) => void }[] = [];
const seen: string[] = [];
let bus: Bus;
let readings: VmReadings;
const web = (status: VmReading['status']): VmReading => ({ id: 'w', name: 'web', status });
const db: VmReading = { id: 'd', name: 'db', status: 'paused' };
/** Until the question that follows from what was heard is out. */
const turn = () => vi.advanceTimersByTimeAsync(100);
const answer = async (...all: VmReading[]): Promise<void> => {
  asked.shift()?.answer(all);
  await turn();
};

beforeEach(async () => {
  vi.useFakeTimers();
  asked.length = 0;
  seen.length = 0;
  const log = { warn() {}, debug() {}, error() {} };
  bus = createBus(log as never);
  readings = createVmReadings({
    bus,
    log: log as never,
    changed: () => seen.push(readings.of('toy', 'w')),
    told: (id) => seen.push(`${id} ${readings.of('toy', id)}`),
    plugins: {
      vmPlugins: () => ['toy'],
      readVms: () => new Promise((resolve) => asked.push({ answer: resolve })),
      recheck: async () => {},
      knownVm: () => ({
        hears: (line: string) => (line.startsWith('web ') ? web(line.slice(4) as VmReading['status']) : null),
      }),
    } as never,
  });
  readings.start();
  await answer(web('stopped'), db);
});
afterEach(async () => {
  for (const { answer: end } of asked) end([]);
  await readings.stop();
  vi.useRealTimers();
});

describe('what an engine says of a machine by itself', () => {
  it('is shown before it has answered, and asked all the same', async () => {
    bus.emit('machines.changed', { plugin: 'toy', said: 'web running' });
    expect(seen).toEqual(['stopped', 'w running']);
    await turn();
    expect(asked).toHaveLength(1);
    await answer(web('paused'), db);
    expect(readings.of('toy', 'w')).toBe('paused');
  });

  it('is not undone by an answer that was under way', async () => {
    bus.emit('machines.changed', { plugin: 'toy', said: 'something' });
    await turn();
    bus.emit('machines.changed', { plugin: 'toy', said: 'web running' });
    // Asked before it was started; what it tells of others is taken.
    await answer(web('stopped'), { ...db, status: 'running' });
    expect(readings.of('toy', 'w')).toBe('running');
    expect(readings.of('toy', 'd')).toBe('running');
    // One more question follows, whose answer counts.
    expect(asked).toHaveLength(1);
    await answer(web('stopped'), db);
    expect(readings.of('toy', 'w')).toBe('stopped');
  });

  it('is asked for once, however much is said in a moment', async () => {
    for (const status of ['running', 'paused', 'stopped', 'running'])
      bus.emit('machines.changed', { plugin: 'toy', said: `web ${status}` });
    await turn();
    expect(asked).toHaveLength(1);
    await answer(web('running'), db);
    expect(asked).toHaveLength(0);
  });

  it('of a machine that nobody knows yet waits for the answer', async () => {
    bus.emit('machines.changed', { plugin: 'toy', said: 'db running' });
    await turn();
    expect(readings.of('toy', 'd')).toBe('paused');
    await answer(web('stopped'));
    expect(readings.of('toy', 'd')).toBe('missing');
  });
});
