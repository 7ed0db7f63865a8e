/** Reports of what happened while Cairn was off, on a real database, over several starts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { causeOf, changesOf, createBoots, type BootParts, type Boots } from '$lib/server/boots/boots';
import type { Alert } from '$lib/shared/wire/alerts';
import type { BootReport } from '$lib/shared/wire/boots';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';
import { createServiceBench, type ServiceBench } from '../support/services';

let bench: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
});
afterEach(() => bench.close());

const drive = (id: string): Drive =>
  ({ id, present: true, identity: 'strong', bayLabel: null, serial: `S-${id}`, model: null }) as Drive;
const pool = (guid: string, poolStatus: Pool['poolStatus']): Pool =>
  ({ guid, label: 'tank', poolStatus, state: 'ready' }) as Pool;
const operation = (state: Operation['state'], verdict: Operation['verdict'] = null): Operation =>
  ({ id: 'op-1', title: 'Create pool "tank"', state, verdict }) as Operation;

interface World {
  bootId: string;
  version: string;
  drives: Drive[];
  pools: Pool[];
  operations: Operation[];
}
const world: World = {
  bootId: 'boot-a',
  version: '1.0.0',
  drives: [drive('a'), drive('b')],
  pools: [pool('g', 'active')],
  operations: [],
};
function begin(more: Partial<World> = {}): { boots: Boots; last: () => BootReport; is: World } {
  const is = { ...world, ...more };
  const { bus, feed, clock } = bench.services;
  const parts: BootParts = {
    ...{ db: bench.db, bus, feed, clock, version: is.version, bootId: is.bootId },
    drives: { list: () => is.drives },
    pools: { list: () => is.pools },
    operations: {
      page: () => ({ items: is.operations, nextBefore: null }),
      get: (id) => is.operations.find((one) => one.id === id) as Operation,
    },
  };
  const boots = createBoots(parts);
  boots.start();
  return { boots, is, last: () => boots.page({ limit: 1 }).items[0] as BootReport };
}

describe('the cause', () => {
  it.each([
    ['stopped in order, on the same boot of the host', 'stop', 'boot-a', 'stopped'],
    ['killed, on the same boot of the host', 'kill', 'boot-a', 'crashed'],
    ['stopped in order with the host', 'stop', 'boot-b', 'host-restarted'],
    ['gone with the host without a word', 'kill', 'boot-b', 'power-lost'],
  ] as const)('of one that was %s is named', (_title, end, bootId, cause) => {
    const first = begin();
    expect(first.last()).toMatchObject({ cause: 'first', downSince: null });
    first.boots.settled();
    if (end === 'stop') first.boots.stop();
    bench.advance(3_600_000);
    const report = begin({ bootId }).last();
    expect(report).toMatchObject({ cause, isApproximate: end === 'kill', dismissedAt: null });
    expect(Math.round((report.startedAt - (report.downSince ?? 0)) / 60_000)).toBe(60);
  });
  it('is that of the last one that ran, however often it is asked', () => {
    expect(causeOf(null, 'x')).toBe('first');
  });
});

describe('a report', () => {
  it('names what changed of drives, pools and versions, and is pushed', () => {
    begin().boots.settled();
    const second = begin({
      bootId: 'boot-b',
      version: '1.1.0',
      drives: [drive('b'), drive('c')],
      pools: [pool('g', 'degraded')],
    });
    expect(second.last()).toMatchObject({ isComplete: false, drives: [], versionBefore: '1.0.0' });
    second.boots.settled();
    const report = second.last();
    expect(report).toMatchObject({
      isComplete: true,
      drives: [
        { id: 'a', label: 'S-a', change: 'gone' },
        { id: 'c', label: 'S-c', change: 'came' },
      ],
      pools: [{ guid: 'g', label: 'tank', before: 'active', now: 'degraded' }],
    });
    expect(bench.services.feed.get('boots', report.id)).toEqual(report);
  });

  it('follows interrupted operations to their end, and alerts of the first minutes', () => {
    begin().boots.settled();
    const second = begin({ operations: [operation('running')] });
    expect(second.last().operations).toMatchObject([{ id: 'op-1', state: 'running', verdict: null }]);
    second.is.operations = [operation('failed', 'taken-back')];
    bench.services.bus.emit('operation.ended', { id: 'op-1' });
    expect(second.last().operations).toMatchObject([{ id: 'op-1', state: 'failed', verdict: 'taken-back' }]);
    const alert = { id: 'pool:g:degraded', title: '"tank" is degraded', severity: 'warning' } as Alert;
    bench.services.bus.emit('alert.changed', { alert, change: 'raised' });
    bench.advance(10 * 60_000);
    bench.services.bus.emit('alert.changed', { alert: { ...alert, id: 'later' }, change: 'raised' });
    expect(second.last().alerts).toMatchObject([{ id: 'pool:g:degraded', change: 'raised' }]);
  });

  it('that says nothing calls nobody; another one stays until somebody has read it, over restarts too', () => {
    const first = begin();
    first.boots.settled();
    first.boots.stop();
    const quiet = begin();
    quiet.boots.settled();
    expect(quiet.last().dismissedAt).not.toBeNull();
    const loud = begin({ bootId: 'boot-b' });
    loud.boots.settled();
    const { id } = loud.last();
    expect(loud.last().dismissedAt).toBeNull();
    expect(loud.boots.dismiss(id).dismissedAt).not.toBeNull();
    expect(loud.boots.get(id).dismissedAt).not.toBeNull();
    expect(() => loud.boots.get('4711')).toThrow('There is no report 4711.');
    expect(loud.boots.page({ limit: 2 })).toMatchObject({
      items: [{ id: '3' }, { id: '2' }],
      nextBefore: '2',
    });
    expect(loud.boots.page({ limit: 2, before: '2' })).toMatchObject({
      items: [{ id: '1' }],
      nextBefore: null,
    });
  });

  it('of a pool that is gone says so', () => {
    const before = { drives: [], pools: [{ guid: 'g', label: 'tank', status: 'active' }] };
    expect(changesOf(before, { drives: [], pools: [] }).pools).toEqual([
      { guid: 'g', label: 'tank', before: 'active', now: 'removed' },
    ]);
  });
});
