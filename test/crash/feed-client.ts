import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import type { AppRouter } from '$lib/server/trpc/app-router';
import type { Operation } from '$lib/shared/wire/operations';
import type { Appliance } from '../support/appliance';

/** What a page that is opened now shows: the operations of the feed's first message. */
export async function feedOperations(appliance: Appliance): Promise<Operation[]> {
  class SignedIn extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers: { cookie: appliance.cookie, origin: appliance.url } });
    }
  }
  const socket = createWSClient({
    url: `${appliance.url.replace('http', 'ws')}/trpc-ws`,
    WebSocket: SignedIn as unknown as typeof globalThis.WebSocket,
  });
  const client = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
  try {
    return await new Promise((resolve, reject) => {
      client.feed.live.subscribe(
        { lastEventId: null },
        {
          onData: ({ data }) => {
            if (data.type === 'snapshot') resolve(data.snapshot.operations);
          },
          onError: reject,
        },
      );
    });
  } finally {
    await socket.close();
  }
}
