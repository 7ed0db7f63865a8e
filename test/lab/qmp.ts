/** Client of QEMU's monitor protocol: one JSON object a line; commands are answered in order, events come in between. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface QmpEvent {
  event: string;
  data?: Record<string, unknown>;
}
interface Answer extends Partial<QmpEvent> {
  QMP?: unknown;
  return?: unknown;
  error?: { class: string; desc: string };
}
interface Waiting {
  command: string;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class Qmp {
  readonly events: QmpEvent[] = [];
  #socket: Socket;
  #waiting: Waiting[] = [];
  #watchers = new Set<() => void>();
  #rest = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** Waits for the socket, which QEMU makes a moment after its start. */
  static async connect(path: string, isAlive: () => boolean): Promise<Qmp> {
    for (;;) {
      const socket = await new Promise<Socket | null>((resolve) => {
        const attempt = connect(path);
        attempt.once('connect', () => resolve(attempt));
        attempt.once('error', () => resolve(null));
      });
      if (socket) {
        const qmp = new Qmp(socket);
        await qmp.execute('qmp_capabilities');
        return qmp;
      }
      if (!isAlive()) throw new Error('QEMU ended before its monitor answered.');
      await sleep(10);
    }
  }

  /** @throws Error with QEMU's description when it refuses */
  execute<T = unknown>(command: string, args?: Record<string, unknown>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`${command}: QEMU has ended.`));
      this.#waiting.push({ command, resolve: (value) => resolve(value as T), reject });
      this.#socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
    });
  }

  /** The first event that fits, also one that came after `from` events had been seen. */
  async event(
    name: string,
    fits: (data: Record<string, unknown>) => boolean,
    { from = 0, timeoutMs = 15_000 } = {},
  ): Promise<QmpEvent> {
    const find = () =>
      this.events.slice(from).find((event) => event.event === name && fits(event.data ?? {}));
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = find();
        if (!found && !this.#socket.destroyed) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        if (found) resolve(found);
        else reject(new Error(`QEMU ended before ${name}.`));
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`No ${name} from QEMU within ${timeoutMs} ms.`));
      }, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#take(JSON.parse(line) as Answer);
  }

  #take(answer: Answer): void {
    if (answer.QMP) return;
    if (answer.event !== undefined) {
      this.events.push({ event: answer.event, ...(answer.data && { data: answer.data }) });
      for (const watcher of [...this.#watchers]) watcher();
      return;
    }
    const waiting = this.#waiting.shift();
    if (!waiting) return;
    if (answer.error) waiting.reject(new Error(`${waiting.command}: ${answer.error.desc}`));
    else waiting.resolve(answer.return);
  }

  #end(): void {
    for (const { command, reject } of this.#waiting.splice(0))
      reject(new Error(`${command}: QEMU has ended.`));
    for (const watcher of [...this.#watchers]) watcher();
  }
}
