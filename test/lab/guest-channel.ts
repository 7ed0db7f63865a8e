/** The way into the guest: one TCP connection a request, spoken to guest/usr/local/sbin/lab-session. */
import { connect } from 'node:net';

export interface Finished {
  code: number;
  /** Standard output and standard error, in the order they came. */
  out: string;
}

/** `\0LABRC=<code>\n` at the very end; the NUL keeps a command's own output from looking like it. */
const TRAILER = /\0LABRC=(\d+)\n$/;
/** Longer than any trailer. */
const TAIL_BYTES = 32;

export class GuestTimeout extends Error {}

/** Quotes for sh(1). */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export class GuestChannel {
  readonly port: number;
  constructor(port: number) {
    this.port = port;
  }

  /** Runs a script with bash, or one program with its arguments. */
  async run(script: string | string[], timeoutMs: number): Promise<Finished> {
    const text = Array.isArray(script) ? script.map(quoted).join(' ') : script;
    const bytes = Buffer.from(text);
    const { code, content } = await this.#ask(`run ${bytes.length}`, bytes, timeoutMs, text);
    return { code, out: content.toString('utf8') };
  }

  async push(path: string, content: Buffer, mode: string, timeoutMs: number): Promise<void> {
    const { code, content: said } = await this.#ask(
      `push ${content.length} ${mode} ${path}`,
      content,
      timeoutMs,
      `push ${path}`,
    );
    if (code !== 0) throw new Error(`The guest could not write ${path}: ${said.toString('utf8')}`);
  }

  async pull(path: string, timeoutMs: number): Promise<Buffer> {
    const { code, content } = await this.#ask(`pull ${path}`, Buffer.alloc(0), timeoutMs, `pull ${path}`);
    if (code !== 0) throw new Error(`The guest could not read ${path}: ${content.toString('utf8')}`);
    return content;
  }

  #ask(
    head: string,
    body: Buffer,
    timeoutMs: number,
    title: string,
  ): Promise<{ code: number; content: Buffer }> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect({ host: '127.0.0.1', port: this.port });
      const said = () => Buffer.concat(chunks).toString('utf8').slice(-2_000);
      const fail = (error: Error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new GuestTimeout(`No end within ${timeoutMs} ms of: ${title}\n${said()}`)),
        timeoutMs,
      );
      socket.on('connect', () => {
        // Never half-closed: the length is told instead.
        socket.write(`${head}\n`);
        socket.write(body);
      });
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        const all = chunk.length >= TAIL_BYTES ? chunk : Buffer.concat(chunks.slice(-TAIL_BYTES));
        const match = TRAILER.exec(all.subarray(-TAIL_BYTES).toString('latin1'));
        if (!match) return;
        clearTimeout(timer);
        // Something the script left running may hold the connection; the answer is complete all the same.
        socket.destroy();
        const content = Buffer.concat(chunks);
        resolve({ code: Number(match[1]), content: content.subarray(0, content.length - match[0].length) });
      });
      socket.on('error', (error) =>
        fail(new Error(`The guest does not answer (${error.message}): ${title}`)),
      );
      socket.on('close', () => fail(new Error(`The guest broke off in: ${title}\n${said()}`)));
    });
  }
}
