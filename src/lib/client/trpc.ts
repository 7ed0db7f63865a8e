/**
 * The line to the server. What concerns the session goes over HTTP, because it sets a cookie; all else shares one
 * socket, opened with the first call and kept open by the live feed.
 */
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  splitLink,
  wsLink,
  type TRPCClient,
} from '@trpc/client';
import type { AppRouter } from '$lib/server/trpc/app-router';
import { reauthLink } from './reauth.svelte';

const socketUrl = (): string => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/trpc-ws`;
/** 0, 0.2, 0.4, 0.8, ... at most 3 s: a restarted server is found again within moments. */
const retryDelayMs = (attempt: number): number => (attempt === 0 ? 0 : Math.min(3_000, 100 * 2 ** attempt));

let client: TRPCClient<AppRouter> | null = null;

function connect(): TRPCClient<AppRouter> {
  const socket = createWSClient({
    url: socketUrl,
    lazy: { enabled: true, closeMs: 60_000 },
    retryDelayMs,
    keepAlive: { enabled: true, intervalMs: 8_000, pongTimeoutMs: 3_000 },
  });
  return createTRPCClient<AppRouter>({
    links: [
      reauthLink,
      splitLink({
        condition: (operation) => operation.path.startsWith('session.'),
        true: httpBatchLink({ url: '/trpc' }),
        false: wsLink({ client: socket }),
      }),
    ],
  });
}

/** Browser only: the server renders from the data of the layout. */
export const trpc = (): TRPCClient<AppRouter> => (client ??= connect());
