import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createRequestGuard } from '$lib/server/auth/request-guard';
import { SESSION_COOKIE } from '$lib/server/auth/sessions';
import { createSockets, SOCKET_PATH, type Sockets } from '$lib/server/sockets/upgrade';
import type { FeedMessage } from '$lib/shared/wire/feed';
import { createServiceBench, setUpAdmin, type ServiceBench } from '../support/services';

let bench: ServiceBench;
let http: Server;
let sockets: Sockets;
let port: number;
let token: string;
const open = new Set<WebSocket>();

beforeEach(async () => {
  bench = createServiceBench();
  ({ token } = await setUpAdmin(bench.services));
  sockets = createSockets(bench.services, createRequestGuard(bench.services.config));
  http = createServer((_request, response) => response.end());
  http.on('upgrade', (request, socket, head) => {
    if (!sockets.upgrade(request, socket, head)) socket.destroy();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  port = (http.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of open) socket.terminate();
  open.clear();
  await sockets.close();
  await new Promise((resolve) => http.close(resolve));
  bench.close();
});

interface Reply {
  id: number | null;
  result?: { type: string; id?: string; data?: { id: string; data: FeedMessage } };
  error?: { data: { appError: { code: string } } };
}
interface Client {
  socket: WebSocket;
  replies: Reply[];
  closed: Promise<number>;
  /** Resolves when a reply like this has come. */
  until(match: (reply: Reply) => boolean): Promise<Reply>;
  messages(): FeedMessage[];
}

function connect(headers: Record<string, string> = {}, path = SOCKET_PATH): Client {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { cookie: '', ...headers } });
  open.add(socket);
  const replies: Reply[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    const text = String(data as Buffer);
    if (text === 'PING') return socket.send('PONG');
    replies.push(JSON.parse(text) as Reply);
    for (const check of waiting) check();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined);
  return {
    socket,
    replies,
    closed,
    until: (match) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = replies.find(match);
          if (!found) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    messages: () => replies.flatMap((reply) => reply.result?.data?.data ?? []),
  };
}
const ours = () => ({ cookie: `${SESSION_COOKIE}=${token}`, origin: `http://127.0.0.1:${port}` });

async function subscribe(lastEventId: string | null = null, headers = ours()): Promise<Client> {
  const client = connect(headers);
  await new Promise((resolve) => client.socket.once('open', resolve));
  client.socket.send(
    JSON.stringify({
      id: 1,
      method: 'subscription',
      params: { path: 'feed.live', input: { lastEventId } },
    }),
  );
  await client.until((reply) => reply.result?.type === 'started' || reply.error !== undefined);
  return client;
}

let counter = 0;
/** A change of the feed that no other one equals. */
function change(text = ''): void {
  counter += 1;
  bench.services.feed.put('system', 'system', {
    id: 'system',
    hostname: `host-${counter}${text}`,
    version: '0',
    sandbox: true,
    startedAt: counter,
    mountRoot: '/mnt',
    sources: [],
    certificate: null,
    configuration: { writtenAt: null, overdue: false, problem: null },
    update: { newer: null, failing: null },
    restore: null,
  });
  bench.services.feed.flush();
}
const refused = (client: Client): Promise<number> =>
  new Promise((resolve) =>
    client.socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0)),
  );

describe('the live feed', () => {
  it('begins with a snapshot, then sends each change with a cursor', async () => {
    change();
    const client = await subscribe();
    const first = await client.until((reply) => reply.result?.type === 'data');
    expect(first.result?.data?.data).toMatchObject({ type: 'snapshot', seq: 1 });
    change();
    const second = await client.until((reply) => reply.result?.data?.data.type === 'changes');
    expect(second.result).toMatchObject({ id: `${bench.services.feed.epoch}:2`, data: { data: { seq: 2 } } });
  });

  it('sends after a cut exactly what was missed, once, in order', async () => {
    const before = await subscribe();
    change();
    await before.until((reply) => reply.result?.data?.data.seq === 1);
    before.socket.terminate();
    await before.closed;
    for (let n = 0; n < 5; n += 1) change();
    const after = await subscribe(`${bench.services.feed.epoch}:1`);
    change();
    await after.until((reply) => reply.result?.data?.data.seq === 7);
    expect(after.messages().map(({ type, seq }) => [type, seq])).toEqual(
      [2, 3, 4, 5, 6, 7].map((seq) => ['changes', seq]),
    );
  });

  it.each(['another-epoch:3', 'nonsense', ':', '-1:-1'])(
    'sends a snapshot for the cursor %j that it does not know',
    async (cursor) => {
      change();
      const client = await subscribe(cursor);
      const reply = await client.until((entry) => entry.result?.type === 'data');
      expect(reply.result?.data?.data.type).toBe('snapshot');
    },
  );

  it('reaches a thousand pages, each with the whole message', async () => {
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => subscribe()));
    const text = 'x'.repeat(2_000);
    change(text);
    await Promise.all(
      clients.map((client) => client.until((reply) => JSON.stringify(reply).includes(`${text}"`))),
    );
  });

  it('stops listening when the page goes', async () => {
    const client = await subscribe();
    expect(bench.services.feed.subscriberCount()).toBe(1);
    client.socket.close();
    await client.closed;
    await expect.poll(() => bench.services.feed.subscriberCount()).toBe(0);
    expect(sockets.count()).toBe(0);
  });

  it('cuts off a reader that does not read, and gives it a snapshot when it comes back', async () => {
    const client = await subscribe();
    client.socket.pause();
    const text = 'x'.repeat(200_000);
    for (let n = 0; n < 200 && sockets.count() > 0; n += 1) {
      change(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => sockets.count()).toBe(0);
    expect(bench.services.feed.subscriberCount()).toBe(0);
    client.socket.resume();
    expect([1006, 1013]).toContain(await client.closed);
  });
});

describe('a socket', () => {
  it('without a session is accepted and told to sign in, so that the page can say so', async () => {
    const client = await subscribe(null, { cookie: '', origin: `http://127.0.0.1:${port}` });
    expect(client.replies.at(-1)?.error?.data.appError.code).toBe('unauthenticated');
  });

  it.each([
    ['another site', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['a foreign host name', { host: 'evil.example', origin: 'http://evil.example' }],
    ['nowhere, with a cookie', {}],
  ])('from %s is refused', async (_title, headers) => {
    expect(await refused(connect({ cookie: `${SESSION_COOKIE}=${token}`, ...headers }))).toBe(403);
    expect(sockets.count()).toBe(0);
  });

  it('for another path is left to others', async () => {
    const client = connect(ours(), '/@vite');
    expect(await client.closed).toBe(1006);
  });

  it('is closed with 4401 when its session ends, and only then', async () => {
    const mine = await subscribe();
    const visitor = connect({ origin: `http://127.0.0.1:${port}` });
    await new Promise((resolve) => visitor.socket.once('open', resolve));
    const actor = await bench.services.auth.identify({ token, apiKey: null });
    if (!actor?.sessionId) throw new Error('no session');
    bench.services.auth.revokeSession(actor.id, actor.sessionId);
    expect(await mine.closed).toBe(4401);
    expect(visitor.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is closed with 1012 when the server stops, also one that does not answer', async () => {
    const [polite, silent] = await Promise.all([subscribe(), subscribe()]);
    silent.socket.pause();
    const begun = performance.now();
    await sockets.close();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await polite.closed).toBe(1012);
    expect(sockets.count()).toBe(0);
  });

  it('is closed when it sends more than 256 KiB at once', async () => {
    const client = await subscribe();
    client.socket.send('x'.repeat(300_000));
    expect(await client.closed).toBe(1009);
  });

  it('survives nonsense', async () => {
    const client = await subscribe();
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"id":2}',
      '{"id":3,"method":"query","params":{"path":"__proto__"}}',
    ])
      client.socket.send(text);
    client.socket.send(Buffer.from([0, 255, 1]));
    client.socket.send(JSON.stringify({ id: 9, method: 'query', params: { path: 'session.state' } }));
    const reply = await client.until(({ id }) => id === 9);
    expect(reply.result?.type).toBe('data');
  });
});
