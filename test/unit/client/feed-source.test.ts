import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

interface Handlers {
  onStarted: () => void;
  onData: (event: { id: string; data: unknown }) => void;
  onComplete: () => void;
  onError: (error: unknown) => void;
  onConnectionStateChange: (state: { state: string }) => void;
}
const calls: { input: { lastEventId: string | null }; handlers: Handlers; unsubscribed: boolean }[] = [];
vi.mock('$lib/client/trpc', () => ({
  trpc: () => ({
    feed: {
      live: {
        subscribe: (input: { lastEventId: string | null }, handlers: Handlers) => {
          const call = { input, handlers, unsubscribed: false };
          calls.push(call);
          return {
            unsubscribe: () => {
              call.unsubscribed = true;
            },
          };
        },
      },
    },
  }),
}));
const { feedSource } = await import('$lib/client/feed-source');

const last = () => {
  const call = calls.at(-1);
  if (!call) throw new Error('nothing was subscribed');
  return call;
};
const heard = () => ({ message: vi.fn(), started: vi.fn(), connecting: vi.fn(), error: vi.fn() });

describe('the subscription to the feed', () => {
  beforeEach(() => {
    calls.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for again from the last message when the server ends it', () => {
    const on = heard();
    const stop = feedSource.subscribe('e1:7', on);
    expect(last().input).toEqual({ lastEventId: 'e1:7' });
    last().handlers.onData({ id: 'e1:8', data: { type: 'changes' } });
    last().handlers.onComplete();
    expect(on.connecting).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1_000);
    expect(calls).toHaveLength(2);
    expect(last().input).toEqual({ lastEventId: 'e1:8' });
    stop();
  });

  it('is not asked for again after the session has ended', () => {
    const on = heard();
    const stop = feedSource.subscribe(null, on);
    last().handlers.onError({ data: { appError: { code: 'unauthenticated', message: 'Sign in.' } } });
    vi.advanceTimersByTime(60_000);
    expect(on.error).toHaveBeenCalledOnce();
    expect(calls).toHaveLength(1);
    stop();
  });

  it('is asked for again after any other error', () => {
    const stop = feedSource.subscribe(null, heard());
    last().handlers.onError(new Error('odd'));
    vi.advanceTimersByTime(1_000);
    expect(calls).toHaveLength(2);
    stop();
  });

  it('stays ended once the page has closed it', () => {
    const stop = feedSource.subscribe(null, heard());
    stop();
    expect(last().unsubscribed).toBe(true);
    last().handlers.onComplete();
    vi.advanceTimersByTime(60_000);
    expect(calls).toHaveLength(1);
  });
});
