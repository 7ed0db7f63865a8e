/** A client of QEMU's machine protocol, as much of it as the fault drives need: one command at a time, events ignored. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Reply {
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  QMP?: unknown;
}
export interface Qmp {
  /** @throws Error with QEMU's own description */
  command(execute: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

export async function connectQmp(path: string): Promise<Qmp> {
  const socket = await connected(path);
  const waiting: ((reply: Reply) => void)[] = [];
  const end = (): void => {
    for (const answer of waiting.splice(0))
      answer({ error: { class: 'Closed', desc: 'the daemon has ended' } });
  };
  socket.on('error', end);
  socket.on('close', end);
  createInterface({ input: socket }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    if (reply.event === undefined && reply.QMP === undefined) waiting.shift()?.(reply);
  });
  async function command(execute: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const reply = await new Promise<Reply>((resolve) => {
      waiting.push(resolve);
      socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    if (reply.error) throw new Error(`${execute}: ${reply.error.desc}`);
    return reply.return;
  }
  await command('qmp_capabilities');
  return { command, close: () => socket.destroy() };
}
