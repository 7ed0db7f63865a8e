import type { FeedMessage } from '$lib/shared/wire/feed';
import type { Feed } from '../events/feed';

/**
 * Messages of the feed from a cursor on, without a gap: the listener is there before what was missed is read, and what
 * both bring is sent once. Ends when `signal` aborts.
 */
export async function* feedMessages(
  feed: Feed,
  cursor: string | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedMessage, void> {
  const queue: FeedMessage[] = [];
  let wake: (() => void) | null = null;
  const unsubscribe = feed.subscribe((message) => {
    queue.push(message);
    wake?.();
  });
  const onAbort = (): void => wake?.();
  signal?.addEventListener('abort', onAbort);
  try {
    let sent = 0;
    for (const message of feed.since(cursor)) {
      sent = message.seq;
      yield message;
    }
    while (!signal?.aborted) {
      const message = queue.shift();
      if (message) {
        if (message.seq <= sent) continue;
        sent = message.seq;
        yield message;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = null;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    unsubscribe();
  }
}
