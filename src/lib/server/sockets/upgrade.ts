/** The way from HTTP to a socket: who may come in, and how all of them go when the server stops or a session ends. */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Actor } from '$lib/shared/wire/session';
import { CONSOLE_PATH, CONSOLE_PROTOCOL, ticketProtocol } from '$lib/shared/console-protocol';
import { SESSION_COOKIE } from '../auth/sessions';
import type { RequestGuard } from '../auth/request-guard';
import { AppError, toAppError } from '../errors';
import type { RequestContext } from '../trpc/context';
import type { Services } from '../services';
import { serveConsole } from './console-socket';
import { createTrpcSocket } from './trpc-socket';

export const SOCKET_PATH = '/trpc-ws';
const MAX_MESSAGE_BYTES = 256 * 1024;
const CLOSE_RESTART = 1012;
const CLOSE_SESSION_ENDED = 4401;
/** How long a client has to answer the closing frame. */
const CLOSE_GRACE_MS = 500;

const headerOf =
  (request: IncomingMessage) =>
  (name: string): string | null => {
    const value = request.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  };

/** One cookie's value out of the header. */
function cookieValue(header: string | null, name: string): string | null {
  for (const part of (header ?? '').split(';')) {
    const [key, ...value] = part.split('=');
    if (key?.trim() === name) return value.join('=').trim();
  }
  return null;
}

/** What a client offers in `Sec-WebSocket-Protocol` beside the protocol: its ticket. */
function ticketOf(header: string | null): string {
  const prefix = ticketProtocol('');
  const offered = (header ?? '').split(',').map((part) => part.trim());
  const ticket = offered.find((part) => part.startsWith(prefix))?.slice(prefix.length);
  if (!ticket || !offered.includes(CONSOLE_PROTOCOL)) throw new AppError('console_ticket_invalid');
  return ticket;
}

function refuse(socket: Duplex, error: AppError): void {
  const body = JSON.stringify({
    error: { code: error.code, message: error.message, details: error.details },
  });
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer];

export interface Sockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  count(): number;
  /** Tells every client that the server restarts, and lets none of them hold up the stop. */
  close(): Promise<void>;
}

export function createSockets(services: Services, guard: RequestGuard): Sockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // Deflate costs more CPU and memory than a home network's bandwidth is worth.
    perMessageDeflate: false,
    clientTracking: true,
  });
  const serve = createTrpcSocket(server);
  const consoleServer = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
    handleProtocols: () => CONSOLE_PROTOCOL,
  });
  const servers = [server, consoleServer];
  const bySession = new Map<string, Set<WebSocket>>();
  let closing = false;

  const stopListening = services.bus.on('session.revoked', ({ sessionId }) => {
    for (const socket of bySession.get(sessionId) ?? []) socket.close(CLOSE_SESSION_ENDED, 'session ended');
  });

  function remember(sessionId: string, socket: WebSocket): void {
    const set = bySession.get(sessionId) ?? new Set();
    bySession.set(sessionId, set.add(socket));
    socket.once('close', () => {
      set.delete(socket);
      if (set.size === 0) bySession.delete(sessionId);
    });
  }

  /** Who asks, when the request may come from a page of ours. @throws AppError bad_host | bad_origin | stopping */
  async function screen(request: IncomingMessage) {
    const header = headerOf(request);
    guard.requireHost(header);
    guard.requireOrigin(header);
    if (closing) throw new AppError('stopping');
    const token = cookieValue(header('cookie'), SESSION_COOKIE);
    const apiKey = header('x-api-key');
    const address = request.socket.remoteAddress ?? '';
    const identify = () => services.auth.identify({ token, apiKey, address });
    return { header, token, identify, actor: await identify() };
  }
  function take(
    by: WebSocketServer,
    [request, socket, head]: Upgrade,
    actor: Actor | null,
    serveIt: (webSocket: WebSocket) => void,
  ): void {
    by.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', (error) => services.log.debug({ error }, 'socket error'));
      if (actor?.sessionId) remember(actor.sessionId, webSocket);
      serveIt(webSocket);
    });
  }

  async function acceptTrpc(upgrade: Upgrade): Promise<void> {
    const [request] = upgrade;
    // A visitor without a session is let in too: refused here, the client would try again for ever without being told;
    // the procedures answer it with a code.
    const { header, token, identify, actor } = await screen(request);
    const context: RequestContext = {
      services,
      identify,
      token,
      cookie: null,
      address: request.socket.remoteAddress ?? '',
      userAgent: header('user-agent') ?? '',
    };
    take(server, upgrade, actor, (webSocket) => serve(webSocket, request, context));
  }
  async function acceptConsole(upgrade: Upgrade): Promise<void> {
    const { header, actor } = await screen(upgrade[0]);
    const line = await services.consoles.open(actor, ticketOf(header('sec-websocket-protocol')));
    // The client may have gone meanwhile: then nobody would ever close it.
    if (upgrade[1].destroyed) return void line.destroy();
    let taken = false;
    take(consoleServer, upgrade, actor, (webSocket) => {
      taken = true;
      serveConsole(webSocket, line);
    });
    // It was refused for what is wrong in its headers.
    if (!taken) line.destroy();
  }
  const accepting: Record<string, (upgrade: Upgrade) => Promise<void>> = {
    [SOCKET_PATH]: acceptTrpc,
    [CONSOLE_PATH]: acceptConsole,
  };

  return {
    upgrade(request, socket, head) {
      const accept = accepting[request.url?.split('?')[0] ?? ''];
      if (!accept) return false;
      const onError = (error: Error): void => services.log.debug({ error }, 'upgrade broke off');
      socket.on('error', onError);
      accept([request, socket, head])
        .then(() => socket.off('error', onError))
        .catch((thrown: unknown) => {
          const error = toAppError(thrown);
          if (error.status === 401 || error.status === 403)
            services.audit.denied(
              {
                actor: null,
                address: request.socket.remoteAddress ?? '',
                userAgent: headerOf(request)('user-agent') ?? '',
                what: `socket ${request.url?.split('?')[0] ?? ''}`,
              },
              error,
            );
          if (error.code === 'bug') services.log.error({ error }, 'upgrade failed');
          refuse(socket, error.code === 'bug' ? new AppError('bug') : error);
        });
      return true;
    },
    count: () => servers.reduce((sum, { clients }) => sum + clients.size, 0),
    async close() {
      closing = true;
      stopListening();
      const clients = servers.flatMap((one) => [...one.clients]);
      for (const client of clients) client.close(CLOSE_RESTART, 'restarting');
      // Calls back once the last client is gone.
      const allGone = Promise.all(
        servers.map((one) => new Promise<void>((resolve) => one.close(() => resolve()))),
      );
      const impatient = setTimeout(() => {
        for (const client of clients) client.terminate();
      }, CLOSE_GRACE_MS);
      await allGone;
      clearTimeout(impatient);
    },
  };
}
