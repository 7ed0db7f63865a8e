import type { Cursor } from './feed-documents';
import type { FeedSource } from './live.svelte';
import { presentError } from './present-error';
import { trpc } from './trpc';

const AGAIN_AFTER_MS = 1_000;

/**
 * The live feed over the socket. After a cut tRPC asks again by itself, with the id of the last message it saw; when
 * the server ends the subscription (it stops, or dropped a slow reader) it is asked for anew from the same place.
 */
export const feedSource: FeedSource = {
  subscribe(cursor, on) {
    let last: string | null = cursor satisfies Cursor | null;
    let closed = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription: { unsubscribe(): void } | undefined;

    const again = (): void => {
      if (closed) return;
      on.connecting();
      clearTimeout(timer);
      timer = setTimeout(begin, AGAIN_AFTER_MS);
    };
    const begin = (): void => {
      subscription = trpc().feed.live.subscribe(
        { lastEventId: last },
        {
          onStarted: on.started,
          onData: (event) => {
            last = event.id;
            on.message(event.data);
          },
          onConnectionStateChange: (state) => {
            if (state.state === 'connecting') on.connecting();
          },
          onComplete: again,
          onError: (error) => {
            on.error(error);
            if (presentError(error).code !== 'unauthenticated') again();
          },
        },
      );
    };
    begin();
    return () => {
      closed = true;
      clearTimeout(timer);
      subscription?.unsubscribe();
    };
  },
};
