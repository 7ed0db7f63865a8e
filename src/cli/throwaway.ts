/**
 * A Cairn of its own, on drives that are files in a folder of its own, beside the one that may run here: to be killed as often as is
 * wanted. It can use no other drive (sandbox mode), and is spoken to over its socket, as by root.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation, OperationPage } from '$lib/shared/wire/operations';
import { connect, type Connection } from './connection';
import { CliError, EXIT } from './exit-codes';
import { releaseBelow, removeFolder } from './leftovers';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const START_MS = 60_000;
const LOOK_MS = 50;
const OPERATION_MS = 120_000;

export const isAway = (error: unknown): boolean =>
  error instanceof CliError && error.exitCode === EXIT.unreachable;

export class Throwaway {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-check-')));
  readonly api: Connection = connect({ socketPath: join(this.folder, 'local.sock') });
  readonly #crashFile = join(this.folder, 'crash-at');
  readonly #checkout: string;
  readonly #drives: number;
  #child: ChildProcess | null = null;
  #said = '';

  /** @param checkout the folder that holds Cairn */
  constructor(checkout: string, drives: number) {
    this.#checkout = checkout;
    this.#drives = drives;
    this.dieAt('');
  }

  /** Where it dies next; see operations/crash-points.ts. */
  dieAt(specs: string): void {
    writeFileSync(this.#crashFile, specs);
  }
  get runs(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when every operation that was cut has its verdict. @throws CliError when it does not come up */
  async start(): Promise<void> {
    this.#said = '';
    const child = spawn(process.execPath, ['--max-semi-space-size=2', 'src/main.ts'], {
      cwd: this.#checkout,
      env: {
        ...{ PATH, NODE_ENV: 'production', CAIRN_SANDBOX: '1' },
        ...{ CAIRN_DATA_DIR: this.folder, CAIRN_PORT: '0', CAIRN_LOG_LEVEL: 'warn' },
        ...{ CAIRN_SANDBOX_DRIVES: String(this.#drives), CAIRN_CRASH_AT: `file:${this.#crashFile}` },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#said = (this.#said + chunk.toString()).slice(-2_000);
      });
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(LOOK_MS)) {
      if (!this.runs) throw new CliError(EXIT.failed, `Cairn ended while it started: ${this.#said.trim()}`);
      if (await this.#isReady()) return;
    }
    throw new CliError(EXIT.failed, `Cairn was not ready in ${START_MS / 1_000} s: ${this.#said.trim()}`);
  }
  #isReady(): Promise<boolean> {
    return this.api.get('/system').then(
      () => true,
      (error: unknown) => {
        if (isAway(error)) return false;
        throw error;
      },
    );
  }

  async latest(): Promise<Operation | null> {
    return (await this.api.get<OperationPage>('/operations?limit=1')).items[0] ?? null;
  }

  /** Waits for the end of the latest operation, or for Cairn's own. @returns null: Cairn has died */
  async ended(): Promise<Operation | null> {
    for (const until = Date.now() + OPERATION_MS; Date.now() < until; await sleep(LOOK_MS)) {
      if (!this.runs) return null;
      try {
        const operation = await this.latest();
        if (operation && operation.endedAt !== null) return operation;
        if (operation?.state === 'needs-attention') return operation;
      } catch (error) {
        if (!isAway(error)) throw error;
      }
    }
    throw new CliError(EXIT.failed, `An operation did not end in ${OPERATION_MS / 1_000} s.`);
  }

  /** Whatever state it is in: nothing of it is left. */
  async remove(): Promise<void> {
    this.#child?.kill('SIGKILL');
    while (this.runs) await sleep(LOOK_MS);
    releaseBelow(this.folder);
    removeFolder(this.folder);
  }
}
