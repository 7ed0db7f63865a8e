/**
 * Copies of the configuration on every pool that can take one: a lost system disk is not a lost system. Written when what a
 * person can decide has changed and has come to rest, and once a day. They are Cairn's own record, as its database is, and no
 * change of the host that somebody asked for: each is there whole or not at all, nothing has to be taken back, and a write
 * that was cut off is swept away by the next. So they are no operations, which would bury those of people.
 */
import type {
  ConfigurationContent,
  ConfigurationCopies,
  ConfigurationCopy,
  ConfigurationPlace,
  ConfigurationState,
} from '$lib/shared/wire/configuration';
import type { Pool } from '$lib/shared/wire/pools';
import type { Clock } from '../clock';
import { nodeIdOf } from '../db/node-id';
import { AppError, toAppError } from '../errors';
import type { Bus } from '../events/bus';
import { copyNameParts, readCopiesBelow, writeCopyBelow, type FoundCopy } from '../host/configuration-files';
import { passThrough } from '../host/passers';
import type { Logger } from '../log';
import type { Operations } from '../operations/types';
import type { FoundPools } from '../pools/found';
import { isReady } from '../pools/when-ready';
import { currentContent, type ContentParts } from './content';
import { copyText, LARGEST_COPY_BYTES, readCopy, sameness, type ReadCopy } from './format';
import { nextSequence } from './store';

const KEPT = 10;
const DAY_MS = 24 * 3_600_000;
/** An hour for the clock that writes it, and one to spare. */
const OVERDUE_MS = DAY_MS + 2 * 3_600_000;
/** What is done in one go by a person or a script becomes one copy. */
const REST_MS = 5_000;
/** Left free for the pool's own users. */
const RESERVE_BYTES = 16 * 1024 ** 2;

export interface ConfigurationDeps extends ContentParts {
  bus: Bus;
  clock: Clock;
  log: Logger;
  pools: { list(): Pool[] };
  found: Pick<FoundPools, 'list' | 'inside'>;
  operations: Pick<Operations, 'holder'>;
  host: { usage(path: string): Promise<{ availableBytes: number }> };
  /** Default: 5 s. */
  restMs?: number;
}

export interface Configuration {
  copies(): Promise<ConfigurationCopies>;
  /** The file of a copy. @throws AppError configuration_not_found */
  copy(id: string): Promise<ReadCopy>;
  /** As it is now, to be kept elsewhere. */
  now(): { name: string; text: string };
  /** To every pool that can take one; without `force` only where the newest is another or of yesterday. */
  write(force?: boolean): Promise<ConfigurationPlace[]>;
  state(): ConfigurationState;
  start(): void;
  stop(): Promise<void>;
}

interface Seen {
  pool: string;
  file: string;
  text: string | null;
}

export const copyView = ({ sha256, content }: ReadCopy, ownId: string): Omit<ConfigurationCopy, 'on'> => ({
  ...{ id: sha256, hostname: content.hostname, version: content.version, createdAt: content.createdAt },
  ...{ sequence: content.sequence, isOwn: content.nodeId === ownId },
  pools: content.pools.map(({ label }) => label),
  vms: content.vms.map(({ name }) => name),
  ...{ images: content.images.length, users: content.users.length },
});

const hintOf = (error: unknown): string => {
  const { message, remedy } = toAppError(error);
  return [message, remedy].filter(Boolean).join(' ');
};

export function createConfiguration(deps: ConfigurationDeps): Configuration {
  const { db, bus, clock, log } = deps;
  const own = nodeIdOf(db);
  const ends: (() => void)[] = [];
  const startedAt = clock.now();
  /** Of each mounted pool, read once: whoever looks again and again keeps its drives awake. */
  const newest = new Map<string, { same: string; at: number; sequence: number }>();
  let problem: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  let stopped = false;

  /** Why nothing may be written to it now; null: it may. */
  function hindrance(pool: Pool): string | null {
    if (pool.source !== null) return 'It is on another machine, where it may be the pool of several.';
    if (!isReady(pool)) return 'It is not mounted, or cannot be used now.';
    const holder = deps.operations.holder(`pool:${pool.guid}`);
    return holder ? `"${holder.title}" is at work on it.` : null;
  }
  /** Nothing of ours keeps a pool from being unmounted: then there is no answer for a moment. */
  const filesOn = (pool: Pool): Promise<FoundCopy[]> =>
    passThrough(pool.mountPath, () => readCopiesBelow(pool.mountPath, LARGEST_COPY_BYTES)).catch(
      (error: unknown) => {
        if (toAppError(error).code === 'made_way') return [];
        throw error;
      },
    );

  async function readNewest(pool: Pool): Promise<{ same: string; at: number; sequence: number } | null> {
    for (const { file, text } of await filesOn(pool)) {
      const parts = copyNameParts(file);
      if (parts?.nodeId !== own || text === null) continue;
      try {
        const { content } = readCopy(text);
        return { same: sameness(content), at: content.createdAt, sequence: parts.sequence };
      } catch (error) {
        log.warn({ error, pool: pool.label, file }, 'a copy of the configuration cannot be read');
        return { same: '', at: 0, sequence: parts.sequence };
      }
    }
    return null;
  }

  async function writeTo(pool: Pool, content: ConfigurationContent): Promise<void> {
    const text = copyText(content);
    const { availableBytes } = await deps.host.usage(pool.mountPath);
    if (availableBytes < RESERVE_BYTES + Buffer.byteLength(text))
      throw new AppError('pool_full', `There is no room left on "${pool.label}".`);
    // Asked for again: counting took a moment, and an unmount may have begun.
    const why = hindrance(pool);
    if (why) throw new AppError('pool_wrong_state', why);
    const copy = { nodeId: own, sequence: content.sequence, text, keep: KEPT };
    if (!(await passThrough(pool.mountPath, () => writeCopyBelow(pool.mountPath, copy))))
      throw new AppError(
        'foreign_state',
        `Something else is on "${pool.label}" where the folder .cairn/configuration has to be.`,
      );
    newest.set(pool.guid, {
      ...{ same: sameness(content), at: content.createdAt, sequence: content.sequence },
    });
  }

  async function writeAll(force: boolean): Promise<ConfigurationPlace[]> {
    const now = clock.now();
    const same = sameness(currentContent(deps, now, 1));
    const due: Pool[] = [];
    const pools = deps.pools.list();
    const mounted = new Set(pools.filter(isReady).map(({ guid }) => guid));
    for (const guid of newest.keys()) if (!mounted.has(guid)) newest.delete(guid);
    for (const pool of pools.filter((one) => hindrance(one) === null)) {
      const there = newest.get(pool.guid) ?? (await readNewest(pool));
      if (there) newest.set(pool.guid, there);
      if (force || !there || there.same !== same || now - there.at >= DAY_MS || there.at > now)
        due.push(pool);
    }
    const failed: string[] = [];
    // The same copy everywhere: one number, one checksum.
    const highest = Math.max(0, ...[...newest.values()].map(({ sequence }) => sequence));
    const content = due.length > 0 ? currentContent(deps, now, nextSequence(db, highest)) : null;
    for (const pool of content ? due : []) {
      try {
        if (content) await writeTo(pool, content);
      } catch (error) {
        if (problem === null)
          log.warn({ error, pool: pool.label }, 'the configuration could not be written to a pool');
        failed.push(`${pool.label}: ${hintOf(error)}`);
      }
    }
    problem = failed.length > 0 ? failed.join(' ') : null;
    if (!stopped) bus.emit('configuration.changed', {});
    return places();
  }
  /** One at a time: two at once would give their numbers in no order. */
  function write(force = false): Promise<ConfigurationPlace[]> {
    const next = writing.then(() => writeAll(force));
    writing = Promise.allSettled([next]);
    return next;
  }

  async function places(): Promise<ConfigurationPlace[]> {
    return Promise.all(
      deps.pools.list().map(async (pool) => {
        const why = hindrance(pool);
        const files = pool.source === null && isReady(pool) ? await filesOn(pool) : [];
        return {
          ...{ guid: pool.guid, label: pool.label, why },
          writtenAt: newest.get(pool.guid)?.at ?? null,
          copies: files.filter(({ file }) => copyNameParts(file)?.nodeId === own).length,
        };
      }),
    );
  }

  async function seen(): Promise<Seen[]> {
    const onPools = await Promise.all(
      deps.pools
        .list()
        .filter((pool) => isReady(pool) && pool.source === null)
        .map(async (pool) => (await filesOn(pool)).map((one) => ({ ...one, pool: pool.label }))),
    );
    const found = deps.found
      .list()
      .flatMap(({ guid, label, description }) =>
        (deps.found.inside(guid)?.copies ?? []).map((one) => ({ ...one, pool: label || description })),
      );
    return [...onPools.flat(), ...found];
  }

  function soon(): void {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      write().catch((error: unknown) => log.error({ error }, 'the configuration could not be written'));
    }, deps.restMs ?? REST_MS).unref();
  }

  return {
    async copies() {
      const problems: ConfigurationCopies['problems'] = [];
      const byId = new Map<string, ConfigurationCopy>();
      for (const { pool, file, text } of await seen()) {
        try {
          if (text === null)
            throw new AppError('configuration_unusable', 'It is no plain file, or far too large.');
          const view = copyView(readCopy(text), own);
          const on = byId.get(view.id)?.on ?? [];
          byId.set(view.id, { ...view, on: [...new Set([...on, pool])] });
        } catch (error) {
          problems.push({ pool, file, why: toAppError(error).message });
        }
      }
      return {
        copies: [...byId.values()].sort(
          (a, b) => Number(a.isOwn) - Number(b.isOwn) || b.createdAt - a.createdAt || b.sequence - a.sequence,
        ),
        problems,
        places: await places(),
        unseen: deps.found
          .list()
          .filter(({ guid, inside, verbs }) => guid !== '' && inside === null && verbs.peek.allowed)
          .map(({ label, description }) => label || description),
      };
    },
    async copy(id) {
      for (const { text } of await seen()) {
        if (!text?.includes(id)) continue;
        try {
          const copy = readCopy(text);
          if (copy.sha256 === id) return copy;
        } catch (error) {
          log.debug({ error }, 'a copy that names this checksum cannot be read');
        }
      }
      throw new AppError('configuration_not_found', 'This copy is on none of the pools that are there now.');
    },
    now() {
      const at = clock.now();
      const content = currentContent(deps, at, nextSequence(db, 0));
      const day = new Date(at).toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
      return {
        name: `cairn-configuration-${content.hostname.replaceAll(/[^\w.-]/g, '_')}-${day}.json`,
        text: copyText(content),
      };
    },
    write,
    state() {
      const times = [...newest.values()].map(({ at }) => at);
      const writtenAt = times.length > 0 ? Math.max(...times) : null;
      const able = deps.pools.list().some((pool) => pool.source === null);
      return {
        ...{ writtenAt, problem },
        overdue: able && clock.now() - Math.max(writtenAt ?? 0, startedAt) > OVERDUE_MS,
      };
    },
    start() {
      // Whatever a person does is in the audit log; what operations have changed is told when they have ended.
      for (const name of ['audit.changed', 'operation.ended', 'pools.changed', 'vm.changed'] as const)
        ends.push(bus.on(name, soon));
      soon();
    },
    async stop() {
      stopped = true;
      for (const end of ends) end();
      clearTimeout(timer);
      await writing;
    },
  };
}
