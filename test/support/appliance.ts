/**
 * The real server as a process of its own, on sandbox drives in a temporary data directory: started, killed and started
 * again by tests. Talks to it as any client does, over HTTP.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { releaseBelow, removeFolder } from '../../src/cli/leftovers';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BOOT_MS = 30_000;

/**
 * The server ends idle connections, and dies on purpose: one that is kept may be gone when it is used again, most of all
 * after a test has waited for a program and seen nothing else meanwhile.
 */
export const NO_KEEP_ALIVE = { connection: 'close' };

export const ADMIN = { username: 'admin', password: 'correct horse battery' };

export interface Answer<T = unknown> {
  status: number;
  body: T;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

export class Appliance {
  readonly dataDir: string;
  readonly crashFile: string;
  port = 0;
  /** What the server printed since its last start. */
  output = '';
  apiKey = '';
  cookie = '';
  /** First-run code as it stands in what the server printed. */
  code = '';
  private child: ChildProcess | null = null;
  private readonly env: Record<string, string>;
  private readonly lateEnv: () => Record<string, string>;
  private readonly enter: (folder: string) => string[];

  constructor(
    options: {
      drives?: number;
      driveBytes?: number;
      env?: Record<string, string>;
      /** Asked at each start. */
      lateEnv?: () => Record<string, string>;
      dataDir?: string;
      /** Words before the server's own, to start it in a namespace. */
      enter?: (folder: string) => string[];
    } = {},
  ) {
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'cairn-appliance-'));
    this.lateEnv = options.lateEnv ?? (() => ({}));
    this.enter = options.enter ?? (() => []);
    this.crashFile = join(this.dataDir, 'crash-at');
    writeFileSync(this.crashFile, '');
    this.env = {
      CAIRN_SANDBOX: '1',
      CAIRN_DATA_DIR: this.dataDir,
      CAIRN_SANDBOX_DRIVES: String(options.drives ?? 4),
      CAIRN_SANDBOX_DRIVE_BYTES: String(options.driveBytes ?? 512 * 1024 ** 2),
      CAIRN_LOG_LEVEL: 'warn',
      CAIRN_CRASH_AT: `file:${this.crashFile}`,
      ...options.env,
    };
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get pid(): number {
    if (!this.child?.pid) throw new Error('the server does not run');
    return this.child.pid;
  }
  get running(): boolean {
    return this.isAlive;
  }
  private get isAlive(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Where the server runs from. */
  protected folder(): string {
    return root;
  }
  /** How the server ended that ran last; null: it runs, or was killed. */
  protected get exitCode(): number | null {
    return this.child?.exitCode ?? null;
  }
  /** The server has ended. */
  protected exited(): void {
    // Nobody starts it again but the test.
  }

  /** Starts the server and waits until it is ready. A port, once chosen, stays. */
  async start(env: Record<string, string> = {}): Promise<void> {
    if (this.port === 0) this.port = await freePort();
    this.output = '';
    const [program = '', ...words] = [
      ...this.enter(root),
      ...[join(root, 'node_modules/.bin/node'), '--max-semi-space-size=2', 'src/main.ts'],
    ];
    const child = spawn(program, words, {
      cwd: this.folder(),
      env: {
        PATH: process.env.PATH ?? '',
        NODE_ENV: 'production',
        NODE_COMPILE_CACHE: join(root, 'build/.compile-cache'),
        ...this.env,
        ...this.lateEnv(),
        CAIRN_PORT: String(this.port),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const collect = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('exit', () => this.exited());
    const deadline = Date.now() + BOOT_MS;
    while (Date.now() < deadline) {
      if (!this.isAlive) throw new Error(`the server ended while it started:\n${this.output}`);
      if (await this.isReady()) {
        this.code = /first-run code[^A-Z0-9]*([A-Z0-9-]{6,})/i.exec(this.output)?.[1] ?? this.code;
        return;
      }
      await sleep(20);
    }
    throw new Error(`the server was not ready within ${BOOT_MS} ms:\n${this.output}`);
  }

  protected isReady(): Promise<boolean> {
    return fetch(`${this.url}/api/ready`, { headers: NO_KEEP_ALIVE }).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Makes the admin account and an API key, as a new user would. */
  async setUp(): Promise<void> {
    const done = await this.trpc('session.setup', { code: this.code, ...ADMIN });
    if (done.status !== 200) throw new Error(`set-up failed: ${JSON.stringify(done.body)}\n${this.output}`);
    const key = await this.trpc<{ key: string }>('apiKeys.create', { name: 'tests', role: 'admin' });
    this.apiKey = key.body.key;
  }

  /** A tRPC mutation over HTTP, with the session's cookie. */
  async trpc<T = unknown>(path: string, input: unknown): Promise<Answer<T>> {
    const response = await fetch(`${this.url}/trpc/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...NO_KEEP_ALIVE,
        origin: this.url,
        ...(this.cookie ? { cookie: this.cookie } : {}),
      },
      body: JSON.stringify(input),
    });
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
    if (cookie) this.cookie = cookie;
    const body = (await response.json()) as { result?: { data: T }; error?: unknown };
    return { status: response.status, body: body.result ? body.result.data : (body as T) };
  }

  async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        'x-api-key': this.apiKey,
        ...NO_KEEP_ALIVE,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  /** Reads the journal beside the running server. */
  query<T>(sql: string, ...parameters: unknown[]): T[] {
    const db = new Database(join(this.dataDir, 'cairn.db'), { readonly: true });
    try {
      return db.prepare(sql).all(...parameters) as T[];
    } finally {
      db.close();
    }
  }

  crashAt(specs: string): void {
    writeFileSync(this.crashFile, specs);
  }

  /** @returns false when it still ran after `timeoutMs` */
  async ended(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (this.running && Date.now() < deadline) await sleep(5);
    return !this.running;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    this.child?.kill(signal);
    if (!(await this.ended(20_000))) {
      this.child?.kill('SIGKILL');
      throw new Error(`the server did not end within 20 s of ${signal}:\n${this.output}`);
    }
  }

  /** Ends the server and removes everything it made on this machine, whatever state it is in. */
  async remove(): Promise<void> {
    await this.stopAndUnmount();
    removeFolder(this.dataDir);
  }

  /** The same, but for its files. */
  async stopAndUnmount(): Promise<void> {
    if (this.running) {
      this.child?.kill('SIGKILL');
      await this.ended(5_000);
    }
    releaseBelow(this.dataDir);
  }
}
