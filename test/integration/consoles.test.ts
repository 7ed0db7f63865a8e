/** Consoles over sockets: who gets in, and what goes through. The far end is a real UNIX socket. */
import { createServer, get, type Server } from 'node:http';
import { createServer as createPipe, type AddressInfo, type Server as Pipe, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createRequestGuard } from '$lib/server/auth/request-guard';
import { SESSION_COOKIE } from '$lib/server/auth/sessions';
import { createConsoles } from '$lib/server/consoles/console';
import { openConsoleLine } from '$lib/server/host/console-line';
import { createSockets, type Sockets } from '$lib/server/sockets/upgrade';
import { appRouter } from '$lib/server/trpc/app-router';
import type { ConsoleEndpoint } from '$lib/plugin-api/vm';
import { CONSOLE_PATH, CONSOLE_PROTOCOL, ticketProtocol } from '$lib/shared/console-protocol';
import type { Actor } from '$lib/shared/wire/session';
import type { Vm } from '$lib/shared/wire/vms';
import { AppError } from '$lib/server/errors';
import { contextOf, createServiceBench, PASSWORD, setUpAdmin, type ServiceBench } from '../support/services';

const VM = '0b6c2c3e-58a1-4c0f-9a57-6f2f7f0d9a11';

let bench: ServiceBench;
let http: Server;
let sockets: Sockets;
let pipe: Pipe;
let port: number;
let token: string;
let admin: Actor;
let state: Vm['state'];
let endpoint: ConsoleEndpoint | null;
/** Connections at the machine's end, in the order in which they came. */
let far: Socket[];
const open = new Set<WebSocket>();

beforeEach(async () => {
  state = 'running';
  far = [];
  bench = createServiceBench();
  const { clock, log } = bench.services;
  const path = join(bench.dir, 'console.sock');
  endpoint = { at: 'socket', path };
  bench.services.consoles = createConsoles({
    vms: {
      get(id) {
        if (id !== VM) throw new AppError('vm_not_found');
        return { id, name: 'web', state, plugin: 'libvirt' } as Vm;
      },
    },
    plugins: { consoleOf: async () => endpoint },
    openLine: openConsoleLine,
    ...{ clock, log },
  });
  pipe = createPipe((socket) => {
    socket.on('error', () => undefined);
    far.push(socket);
  });
  await new Promise<void>((resolve) => pipe.listen(path, resolve));
  ({ token, actor: admin } = await setUpAdmin(bench.services));
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
  bench.services.consoles.close();
  for (const socket of far) socket.destroy();
  await new Promise((resolve) => pipe.close(resolve));
  await new Promise((resolve) => http.close(resolve));
  bench.close();
});

const call = (actor: Actor | null = admin) => appRouter.createCaller(contextOf(bench.services, actor)).vms;
const ticketFor = async (kind: 'vnc' | 'serial', actor = admin): Promise<string> =>
  (await call(actor).openConsole({ vmId: VM, kind })).ticket;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as { cause?: { code?: string } }).cause?.code ?? String(error),
  );

interface Viewer {
  socket: WebSocket;
  text(): string;
  closed: Promise<number>;
  /** Of the refusal, when it was refused. */
  refused: Promise<string>;
  says(text: string): Promise<void>;
}
function connect(ticket: string, headers: Record<string, string> = {}): Viewer {
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}${CONSOLE_PATH}`,
    [CONSOLE_PROTOCOL, ticketProtocol(ticket)],
    { headers: { cookie: `${SESSION_COOKIE}=${token}`, origin: `http://127.0.0.1:${port}`, ...headers } },
  );
  open.add(socket);
  let text = '';
  socket.on('message', (data) => (text += String(data as Buffer)));
  socket.on('error', () => undefined);
  return {
    socket,
    text: () => text,
    closed: new Promise((resolve) => socket.on('close', resolve)),
    refused: new Promise((resolve) =>
      socket.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve((JSON.parse(body) as { error: { code: string } }).error.code));
      }),
    ),
    async says(wanted) {
      await expect.poll(() => text).toBe(wanted);
    },
  };
}
async function view(kind: 'vnc' | 'serial'): Promise<Viewer> {
  const viewer = connect(await ticketFor(kind));
  await new Promise((resolve) => viewer.socket.once('open', resolve));
  return viewer;
}

describe('a console', () => {
  it('carries bytes both ways', async () => {
    const viewer = await view('vnc');
    expect(viewer.socket.protocol).toBe(CONSOLE_PROTOCOL);
    await expect.poll(() => far.length).toBe(1);
    far[0]?.write('RFB 003.008\n');
    await viewer.says('RFB 003.008\n');
    let heard = '';
    far[0]?.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    viewer.socket.send(Buffer.from('hello'));
    await expect.poll(() => heard).toBe('hello');
  });

  it('ends with a code of its own when the machine goes off', async () => {
    const viewer = await view('vnc');
    await expect.poll(() => far.length).toBe(1);
    far[0]?.end();
    expect(await viewer.closed).toBe(4404);
  });

  it('lets go of the machine when its viewer leaves', async () => {
    const viewer = await view('vnc');
    await expect.poll(() => far.length).toBe(1);
    const gone = new Promise((resolve) => far[0]?.once('close', resolve));
    far[0]?.resume();
    viewer.socket.close();
    await gone;
  });

  it('waits for a viewer that reads slowly, and loses nothing', async () => {
    const viewer = await view('vnc');
    await expect.poll(() => far.length).toBe(1);
    viewer.socket.pause();
    const sent = 24 * 1024 ** 2;
    const written = new Promise((resolve) => far[0]?.write(Buffer.alloc(sent, 'x'), resolve));
    const early = await Promise.race([
      written.then(() => 'all was taken'),
      new Promise((resolve) => setTimeout(resolve, 300, 'it waits')),
    ]);
    expect(early).toBe('it waits');
    viewer.socket.resume();
    await written;
    await expect.poll(() => viewer.text().length, { timeout: 10_000 }).toBe(sent);
  });

  it('lets go of a viewer that leaves while the machine has not taken what was typed', async () => {
    const viewer = await view('vnc');
    await expect.poll(() => far.length).toBe(1);
    far[0]?.pause();
    for (let message = 0; message < 4; message += 1) viewer.socket.send(Buffer.alloc(200 * 1024, 'x'));
    viewer.socket.close();
    expect(await viewer.closed).toBe(1005);
  });

  it('ends when far more is typed than the machine takes', async () => {
    const viewer = await view('vnc');
    await expect.poll(() => far.length).toBe(1);
    far[0]?.pause();
    for (let message = 0; message < 20; message += 1) viewer.socket.send(Buffer.alloc(200 * 1024, 'x'));
    expect(await viewer.closed).toBe(1013);
  });

  it('lets go of the machine when the browser says nonsense about the protocol', async () => {
    const ticket = await ticketFor('vnc');
    const asked = get({
      ...{ port, host: '127.0.0.1', path: CONSOLE_PATH },
      headers: {
        ...{ cookie: `${SESSION_COOKIE}=${token}`, origin: `http://127.0.0.1:${port}` },
        ...{ connection: 'Upgrade', upgrade: 'websocket' },
        ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'nonsense' },
        'sec-websocket-protocol': `${CONSOLE_PROTOCOL}, ${ticketProtocol(ticket)}`,
      },
    });
    const status = await new Promise((resolve) =>
      asked.on('response', (answer) => resolve(answer.statusCode)),
    );
    expect(status).toBe(400);
    await expect.poll(() => far.length).toBe(1);
    far[0]?.resume();
    await expect.poll(() => far[0]?.destroyed).toBe(true);
  });

  it('closes when the server stops, so that the page comes back later', async () => {
    const viewer = await view('vnc');
    await sockets.close();
    expect(await viewer.closed).toBe(1012);
  });

  it('closes when the session is ended elsewhere', async () => {
    const viewer = await view('vnc');
    bench.services.bus.emit('session.revoked', { sessionId: admin.sessionId ?? '' });
    expect(await viewer.closed).toBe(4401);
  });
});

describe('a serial line', () => {
  it('shows the same to two viewers, and to one that comes later what was said before', async () => {
    const [one, two] = [await view('serial'), await view('serial')];
    await expect.poll(() => far.length).toBe(1);
    far[0]?.write('login: ');
    await one.says('login: ');
    await two.says('login: ');
    const late = await view('serial');
    await late.says('login: ');
    expect(far.length).toBe(1);
  });

  it('takes what both type', async () => {
    const [one, two] = [await view('serial'), await view('serial')];
    await expect.poll(() => far.length).toBe(1);
    let heard = '';
    far[0]?.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    one.socket.send(Buffer.from('a'));
    await expect.poll(() => heard).toBe('a');
    two.socket.send(Buffer.from('b'));
    await expect.poll(() => heard).toBe('ab');
  });

  it('is there again for a page that is loaded again', async () => {
    const before = await view('serial');
    await expect.poll(() => far.length).toBe(1);
    far[0]?.write('login: ');
    await before.says('login: ');
    before.socket.close();
    await before.closed;
    const after = await view('serial');
    await after.says('login: ');
    expect(far.length).toBe(1);
  });

  it('ends for all when the machine goes off, and begins anew when it is on again', async () => {
    const [one, two] = [await view('serial'), await view('serial')];
    await expect.poll(() => far.length).toBe(1);
    far[0]?.write('old');
    await one.says('old');
    far[0]?.end();
    expect([await one.closed, await two.closed]).toEqual([4404, 4404]);
    const next = await view('serial');
    await expect.poll(() => far.length).toBe(2);
    far[1]?.write('new');
    await next.says('new');
  });
});

describe('a console is asked for', () => {
  it('of a machine that is there', async () => {
    const wrong = call().openConsole({ vmId: VM.replace('0b', '0c'), kind: 'vnc' });
    expect(await codeOf(wrong)).toBe('vm_not_found');
  });
  it.each([
    ['stopped', 'vm_not_running'],
    ['crashed', 'vm_not_running'],
    ['missing', 'vm_gone'],
    ['failed-to-start', 'vm_gone'],
  ] as const)('of a machine that is %s, and refused as %s', async (now, code) => {
    state = now;
    expect(await codeOf(ticketFor('vnc'))).toBe(code);
  });
  it('of a machine without one, and refused by name', async () => {
    endpoint = null;
    expect(await codeOf(ticketFor('serial'))).toBe('console_unavailable');
  });
  it('by a viewer, and refused', async () => {
    expect(await codeOf(ticketFor('vnc', { ...admin, role: 'viewer' }))).toBe('forbidden');
  });
});

describe('a ticket', () => {
  it('opens one console once', async () => {
    const ticket = await ticketFor('vnc');
    const first = connect(ticket);
    await new Promise((resolve) => first.socket.once('open', resolve));
    expect(await connect(ticket).refused).toBe('console_ticket_invalid');
  });
  it('is worth nothing after half a minute', async () => {
    const ticket = await ticketFor('vnc');
    bench.advance(30_001);
    expect(await connect(ticket).refused).toBe('console_ticket_invalid');
  });
  it('opens nothing in another session', async () => {
    const ticket = await ticketFor('vnc');
    const other = await bench.services.auth.login({
      ...{ username: 'admin', password: PASSWORD },
      from: { address: '192.0.2.8', userAgent: 'another' },
    });
    if ('ticket' in other) throw new Error('a second factor is asked for');
    const cookie = `${SESSION_COOKIE}=${other.token}`;
    expect(await connect(ticket, { cookie }).refused).toBe('console_ticket_invalid');
  });
  it('opens nothing without a session', async () => {
    expect(await connect(await ticketFor('vnc'), { cookie: '' }).refused).toBe('unauthenticated');
  });
  it('opens nothing from a foreign page', async () => {
    const refused = connect(await ticketFor('vnc'), { origin: 'http://evil.example' }).refused;
    expect(await refused).toBe('bad_origin');
  });
  it('opens nothing of a machine that went off meanwhile', async () => {
    const ticket = await ticketFor('vnc');
    state = 'stopped';
    expect(await connect(ticket).refused).toBe('vm_not_running');
  });
  it('opens nothing where something else than a socket is by now', async () => {
    const ticket = await ticketFor('vnc');
    endpoint = { at: 'socket', path: bench.services.config.databasePath };
    expect(await connect(ticket).refused).toBe('vm_gone');
  });
});
