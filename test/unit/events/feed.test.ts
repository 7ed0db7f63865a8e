import { describe, expect, it } from 'vitest';
import { createFeed } from '$lib/server/events/feed';
import type { FeedMessage, SystemView } from '$lib/shared/wire/feed';

const system = (hostname: string): SystemView => ({
  id: 'system',
  hostname,
  version: '1',
  sandbox: true,
  startedAt: 0,
  mountRoot: '/mnt',
  sources: [],
  certificate: null,
  configuration: { writtenAt: null, overdue: false, problem: null },
  update: { newer: null, failing: null },
  restore: null,
});
const changesOf = (messages: FeedMessage[]) =>
  messages.flatMap((message) => (message.type === 'changes' ? message.changes : []));

describe('the live feed', () => {
  it('sends a document that changed once, and one that did not change not at all', async () => {
    const feed = createFeed();
    const seen: FeedMessage[] = [];
    feed.subscribe((message) => seen.push(message));
    feed.put('system', 'system', system('a'));
    feed.put('system', 'system', system('a'));
    await Promise.resolve();
    feed.put('system', 'system', { ...system('a') });
    await Promise.resolve();
    expect(seen).toHaveLength(1);
    expect(changesOf(seen)).toMatchObject([{ topic: 'system', op: 'put', value: { hostname: 'a' } }]);
  });

  it('sends what changed within one turn as one message, the newest state of each document', async () => {
    const feed = createFeed();
    const seen: FeedMessage[] = [];
    feed.subscribe((message) => seen.push(message));
    feed.put('system', 'system', system('a'));
    feed.put('system', 'system', system('b'));
    await Promise.resolve();
    expect(seen).toHaveLength(1);
    expect(changesOf(seen)).toMatchObject([{ value: { hostname: 'b' } }]);
  });

  it('gives a client that was away exactly what it missed', () => {
    const feed = createFeed();
    feed.put('system', 'system', system('a'));
    const { seq } = feed.snapshot();
    feed.put('system', 'system', system('b'));
    feed.flush();
    feed.put('system', 'system', system('c'));
    const missed = feed.since(`${feed.epoch}:${seq}`);
    expect(
      changesOf(missed).map((change) => change.op === 'put' && (change.value as SystemView).hostname),
    ).toEqual(['b', 'c']);
    expect(feed.since(`${feed.epoch}:${seq + 2}`)).toEqual([]);
  });

  it.each([
    ['has no cursor', () => null],
    ['knew the server before its restart', () => 'another-epoch:1'],
    ['claims the future', (epoch: string) => `${epoch}:99`],
    ['sends nonsense', (epoch: string) => `${epoch}:x`],
    ['was away longer than the ring holds', (epoch: string) => `${epoch}:1`],
  ])('gives a snapshot to a client that %s', (_title, cursor) => {
    const feed = createFeed({ ringSize: 2 });
    for (const name of ['a', 'b', 'c', 'd']) {
      feed.put('system', 'system', system(name));
      feed.flush();
    }
    const [message, ...rest] = feed.since(cursor(feed.epoch));
    expect(rest).toEqual([]);
    expect(message).toMatchObject({ type: 'snapshot', seq: 4, snapshot: { system: [{ hostname: 'd' }] } });
  });

  it('removes what a replaced topic no longer has', async () => {
    const feed = createFeed();
    feed.put('system', 'system', system('a'));
    await Promise.resolve();
    const seen: FeedMessage[] = [];
    feed.subscribe((message) => seen.push(message));
    feed.replace('system', []);
    await Promise.resolve();
    expect(changesOf(seen)).toEqual([{ topic: 'system', op: 'remove', id: 'system' }]);
    expect(feed.snapshot().snapshot.system).toEqual([]);
  });

  it('counts who looks, and a listener that left hears nothing', () => {
    const counts: number[] = [];
    const feed = createFeed({ onSubscribers: (count) => counts.push(count) });
    let heard = 0;
    const leave = feed.subscribe(() => (heard += 1));
    leave();
    leave();
    feed.put('system', 'system', system('a'));
    feed.flush();
    expect(counts).toEqual([1, 0]);
    expect(heard).toBe(0);
  });
});
