import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type FeedSource } from '$lib/client/live.svelte';
import type { Change, FeedMessage, Snapshot } from '$lib/shared/wire/feed';
import type { Operation } from '$lib/shared/wire/operations';
import type { OperationState } from '$lib/shared/states';

const operation = (id: string, seq: number, state: OperationState): Operation =>
  ({ id, seq, state, title: id, steps: [] }) as unknown as Operation;
const put = (value: Operation): Change => ({ topic: 'operations', op: 'put', id: value.id, value });
const snapshot = (epoch: string, seq: number, operations: Operation[]): FeedMessage => ({
  type: 'snapshot',
  epoch,
  seq,
  snapshot: {
    ...{
      drives: [],
      pools: [],
      found: [],
      images: [],
      vms: [],
      removedVms: [],
      vmHost: [],
      links: [],
      plugins: [],
      alerts: [],
      replacements: [],
      snapshots: [],
      system: [],
      boots: [],
    },
    operations,
  } as Snapshot,
});
const changes = (epoch: string, seq: number, ...list: Change[]): FeedMessage => ({
  type: 'changes',
  epoch,
  seq,
  changes: list,
});

type On = Parameters<FeedSource['subscribe']>[1];
function fakeSource() {
  const seen: { cursor: string | null; on: On | null; closed: boolean } = {
    cursor: null,
    on: null,
    closed: false,
  };
  const source: FeedSource = {
    subscribe(cursor, on) {
      seen.cursor = cursor;
      seen.on = on;
      return () => {
        seen.closed = true;
      };
    },
  };
  const on = (): On => {
    if (!seen.on) throw new Error('nobody subscribed');
    return seen.on;
  };
  return { source, seen, on };
}

describe('the live documents of a page', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('start with what the page was rendered from and ask only for what came later', () => {
    const { source, seen } = fakeSource();
    const live = new Live(snapshot('e1', 7, [operation('a', 1, 'succeeded')]));
    expect(live.newestOperations.map((one) => one.id)).toEqual(['a']);
    const stop = live.start(source, () => undefined);
    expect(seen.cursor).toBe('e1:7');
    stop();
    expect(seen.closed).toBe(true);
  });

  it('follow changes, and ignore a message they have seen', () => {
    const { source, on } = fakeSource();
    const live = new Live(snapshot('e1', 7, []));
    const stop = live.start(source, () => undefined);
    on().message(changes('e1', 8, put(operation('a', 1, 'running'))));
    on().message(changes('e1', 9, put(operation('a', 1, 'succeeded'))));
    on().message(changes('e1', 8, put(operation('a', 1, 'running'))));
    expect(live.operations.get('a')?.state).toBe('succeeded');
    on().message(changes('e1', 10, { topic: 'operations', op: 'remove', id: 'a' }));
    expect(live.operations.size).toBe(0);
    stop();
  });

  it('forget what is not in the snapshot of a restarted server, and take its lower numbers', () => {
    const { source, on } = fakeSource();
    const live = new Live(snapshot('e1', 70, [operation('a', 1, 'running'), operation('b', 2, 'running')]));
    const stop = live.start(source, () => undefined);
    on().message(snapshot('e2', 1, [operation('b', 2, 'failed')]));
    on().message(changes('e2', 2, put(operation('c', 3, 'running'))));
    expect(live.newestOperations.map((one) => `${one.id} ${one.state}`)).toEqual(['c running', 'b failed']);
    stop();
  });

  it('become stale when the line stays cut, from the moment it was cut, and live again with the next word', () => {
    const { source, on } = fakeSource();
    const live = new Live(snapshot('e1', 7, []));
    const stop = live.start(source, () => undefined);
    expect(live.connection.state).toBe('connecting');
    on().started();
    expect(live.connection.state).toBe('live');
    const cutAt = Date.now();
    on().connecting();
    expect(live.connection.state).toBe('live');
    vi.advanceTimersByTime(5_000);
    on().connecting();
    expect(live.connection).toEqual({ state: 'stale', since: cutAt });
    on().started();
    expect(live.connection.state).toBe('live');
    stop();
  });

  it('do not flicker on a cut that is mended at once', () => {
    const { source, on } = fakeSource();
    const live = new Live(snapshot('e1', 7, []));
    const stop = live.start(source, () => undefined);
    on().started();
    on().connecting();
    vi.advanceTimersByTime(300);
    on().started();
    vi.advanceTimersByTime(5_000);
    expect(live.connection.state).toBe('live');
    stop();
  });

  it('become stale when no line ever comes up', () => {
    const { source } = fakeSource();
    const live = new Live(snapshot('e1', 7, []));
    const stop = live.start(source, () => undefined);
    vi.advanceTimersByTime(10_000);
    expect(live.connection.state).toBe('stale');
    stop();
  });

  it('lead to the sign-in page when the session has ended, and not on other errors', () => {
    const { source, on } = fakeSource();
    const ended = vi.fn();
    const live = new Live(snapshot('e1', 7, []));
    const stop = live.start(source, ended);
    on().error(new Error('odd'));
    expect(ended).not.toHaveBeenCalled();
    on().error({ data: { appError: { code: 'unauthenticated', message: 'Sign in.' } } });
    expect(ended).toHaveBeenCalledOnce();
    stop();
  });

  it('announce each end once: also one that came with a snapshot, never one that was over before', () => {
    const { source, on } = fakeSource();
    const live = new Live(snapshot('e1', 7, [operation('old', 1, 'failed'), operation('a', 2, 'running')]));
    const announced: string[] = [];
    const off = live.onEnd((one) => announced.push(`${one.id} ${one.state}`));
    const stop = live.start(source, () => undefined);
    on().message(changes('e1', 8, put(operation('old', 1, 'failed'))));
    on().message(changes('e1', 9, put(operation('quick', 3, 'succeeded'))));
    on().message(snapshot('e2', 1, [operation('older', 0, 'failed'), operation('a', 2, 'failed')]));
    on().message(changes('e2', 2, put(operation('b', 4, 'running'))));
    on().message(changes('e2', 3, put(operation('b', 4, 'needs-attention'))));
    on().message(changes('e2', 4, put(operation('b', 4, 'needs-attention'))));
    expect(announced).toEqual(['quick succeeded', 'a failed', 'b needs-attention']);
    off();
    on().message(changes('e2', 5, put(operation('b', 4, 'failed'))));
    expect(announced).toHaveLength(3);
    stop();
  });
});
