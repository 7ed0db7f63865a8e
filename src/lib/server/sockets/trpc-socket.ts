/** Serves the router on web sockets. */
import type { IncomingMessage } from 'node:http';
import { getWSConnectionHandler } from '@trpc/server/adapters/ws';
import type { WebSocket, WebSocketServer } from 'ws';
import { appRouter, type AppRouter } from '../trpc/app-router';
import type { RequestContext } from '../trpc/context';
import { feedEncoder } from './feed-encoder';

/** A client with more than this unread gets nothing more: it is cut off, reconnects and gets a snapshot. */
const MAX_UNREAD_BYTES = 4 * 1024 ** 2;
const TRY_AGAIN_LATER = 1013;
const MAX_CALLS_IN_A_MESSAGE = 20;

/** Cuts a reader off that does not keep up, instead of holding what it does not read in memory. */
function dropWhenSlow(socket: WebSocket, maxUnreadBytes: number): void {
  const send = socket.send.bind(socket) as (data: string | Buffer) => void;
  socket.send = (data: Parameters<WebSocket['send']>[0]): void => {
    if (socket.bufferedAmount <= maxUnreadBytes) return send(data as string);
    // The closing frame would wait behind all that is unread, so the connection goes with it.
    socket.close(TRY_AGAIN_LATER, 'too slow');
    socket.terminate();
  };
}

export function createTrpcSocket(server: WebSocketServer, maxUnreadBytes = MAX_UNREAD_BYTES) {
  const contexts = new WeakMap<IncomingMessage, RequestContext>();
  const connect = getWSConnectionHandler<AppRouter>({
    wss: server,
    router: appRouter,
    createContext: ({ req }) => {
      const context = contexts.get(req);
      if (!context) throw new TypeError('a socket without a context');
      return context;
    },
    keepAlive: { enabled: true, pingMs: 25_000, pongWaitMs: 10_000 },
    maxBatchSize: MAX_CALLS_IN_A_MESSAGE,
    experimental_encoder: feedEncoder(),
  });
  return (socket: WebSocket, request: IncomingMessage, context: RequestContext): void => {
    contexts.set(request, context);
    dropWhenSlow(socket, maxUnreadBytes);
    connect(socket, request);
  };
}
