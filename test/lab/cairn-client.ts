/** Speaks to Cairn in a guest: REST as programs do, with an API key; tRPC as the pages do, with a session. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTRPCClient, httpLink, TRPCClientError, type TRPCClient } from '@trpc/client';
import type { AppRouter } from '../../src/lib/server/trpc/app-router.ts';
import type { PoolCreateRequestInput } from '../../src/lib/shared/wire/requests.ts';
import type { Drive } from '../../src/lib/shared/wire/drives.ts';
import type { Operation, PlanPreview } from '../../src/lib/shared/wire/operations.ts';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';

const ENDED: readonly Operation['state'][] = ['succeeded', 'failed', 'cancelled', 'needs-attention'];
/** Each look costs the guest what it needs to get on: soon in the beginning, then less and less often. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const SLOWER = 1.3;
/** Everything is ten to twenty times slower in the guest. */
const WAIT_MS = 120_000;

/** A connection that rested while the guest was busy may be closed by Cairn in the moment in which it is used again. */
const FRESH = { connection: 'close' };

interface Answer<T> {
  status: number;
  body: T;
}
export interface Credentials {
  /** For REST. */
  key: string;
  /** For tRPC. */
  cookie: string;
}
interface WaitOptions {
  timeoutMs?: number;
}

export class CairnClient {
  /** From this side; another one after every boot. */
  url = '';
  credentials: Credentials | null;
  /** Every procedure, typed: `trpc.pools.list.query()`, `trpc.pools.unmount.mutate({ guid })`. */
  trpc!: TRPCClient<AppRouter>;
  /** The REST interface with whole paths: `api.get('/api/v1/drives')`. A refusal is an answer, not an error. */
  readonly api = {
    get: <T = unknown>(path: string): Promise<Answer<T>> => this.#ask<T>('GET', path),
    post: <T = unknown>(path: string, body?: unknown): Promise<Answer<T>> => this.#ask<T>('POST', path, body),
    patch: <T = unknown>(path: string, body?: unknown): Promise<Answer<T>> =>
      this.#ask<T>('PATCH', path, body),
    delete: <T = unknown>(path: string, body?: unknown): Promise<Answer<T>> =>
      this.#ask<T>('DELETE', path, body),
  };

  constructor(url: string, credentials: Credentials | null) {
    this.credentials = credentials;
    this.connect(url);
  }

  connect(url: string): void {
    this.url = url;
    const headers = () => ({ ...FRESH, cookie: this.credentials?.cookie ?? '', origin: url });
    this.trpc = createTRPCClient<AppRouter>({ links: [httpLink({ url: `${url}/trpc`, headers })] });
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/api/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** Repeats a look at Cairn until it is true. @returns what was seen last */
  async until<T>(look: () => Promise<T>, fits: (seen: T) => boolean, options: WaitOptions = {}): Promise<T> {
    const until = Date.now() + (options.timeoutMs ?? WAIT_MS);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * SLOWER)) {
      const seen = await look();
      if (fits(seen)) return seen;
      if (Date.now() > until) throw new Error(`It did not come to be: ${JSON.stringify(seen, null, 1)}`);
      await sleep(pauseMs);
    }
  }

  /* Drives */

  drives(): Promise<Drive[]> {
    return this.trpc.drives.list.query();
  }
  /** The drive as soon as it is there and its content has been read. */
  async drive(serial: string, options: WaitOptions = {}): Promise<Drive> {
    const find = async () => (await this.drives()).filter((drive) => drive.serial === serial);
    const [drive] = await this.until(
      find,
      (found) => found.some(({ present, probed }) => present && probed),
      options,
    );
    return drive as Drive;
  }

  /* Operations */

  /** Waits until it has ended, or waits for a person; how it ended is for the case to judge. */
  waitForOperation(id: string, options: WaitOptions = {}): Promise<Operation> {
    return this.until(
      () => this.trpc.operations.get.query({ id }),
      ({ state }) => ENDED.includes(state),
      options,
    );
  }
  /**
   * The same, where anything but success is a mistake of the case.
   * @throws Error with what its commands printed
   */
  async success(operation: Operation | string, options: WaitOptions = {}): Promise<Operation> {
    const id = typeof operation === 'string' ? operation : operation.id;
    const ended = await this.waitForOperation(id, options);
    if (ended.state === 'succeeded') return ended;
    const lines = await this.trpc.operations.outputs.query({ id });
    const printed = lines.map(({ stream, text }) => `${stream}: ${text}`).join('\n');
    throw new Error(`${ended.title}: ${ended.state}. ${ended.error?.message ?? ''}\n${printed}`);
  }
  /** The code that starts exactly the plan that was shown; null when it destroys nothing. */
  confirm(preview: PlanPreview): { confirmCode: string | null } {
    return { confirmCode: preview.confirmCode };
  }

  /* Pools */

  pool(guid: string): Promise<Pool> {
    return this.trpc.pools.get.query({ guid });
  }
  /** Starts a creation as a person does, from the plan that is shown; its drives are named by `serial`. */
  async startPool(request: PoolCreateRequestInput): Promise<{ guid: string; operation: Operation }> {
    for (const { serial } of request.drives) if (serial) await this.drive(serial);
    const shown = await this.trpc.pools.preview.mutate({ request });
    if (!shown.ok) throw new Error(`No such pool can be made: ${JSON.stringify(shown.issues)}`);
    const started = await this.trpc.pools.create.mutate({ request, ...this.confirm(shown.preview) });
    return { guid: started.poolGroupGuid, operation: started.operation };
  }
  /** Makes a pool, waits for it and for what its tools say about it. @throws Error with what its commands printed */
  async createPool(request: PoolCreateRequestInput, options: WaitOptions = {}): Promise<Pool> {
    const { guid, operation } = await this.startPool(request);
    await this.success(operation, options);
    return this.until(
      () => this.pool(guid),
      ({ poolStatus }) => poolStatus !== null,
      options,
    );
  }
  async removePool(guid: string, options: WaitOptions = {}): Promise<Operation> {
    const preview = await this.trpc.pools.previewRemove.query({ guid });
    return this.success(await this.trpc.pools.remove.mutate({ guid, ...this.confirm(preview) }), options);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...FRESH,
        'x-api-key': this.credentials?.key ?? '',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }
}

const ADMIN = { username: 'admin', password: 'correct horse battery' };

/** The first run: an account with the code from the console, and a key for programs. */
export async function setUp(url: string, code: string): Promise<Credentials> {
  const mutate = async (path: string, input: unknown, cookie = '') => {
    const response = await fetch(`${url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, cookie },
      body: JSON.stringify(input),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const done = await mutate('session.setup', { code, ...ADMIN });
  const cookie = done.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const created = await mutate('apiKeys.create', { name: 'lab', role: 'admin' }, cookie);
  const { result } = (await created.json()) as { result: { data: { key: string } } };
  return { key: result.data.key, cookie };
}

/** What a refused call of `trpc` says: the code of the error table and the sentence. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof TRPCClientError)) throw error;
    const { appError } = (error.data ?? {}) as { appError?: { code: string } };
    return { code: appError?.code ?? '', message: error.message };
  }
  throw new Error('It was not refused.');
}
