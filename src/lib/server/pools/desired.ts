/**
 * What pools should be, brought about: the record of a pool says where it is to be mounted, with which drives and options,
 * and whether at all. It is compared with the machine when Cairn starts, and again whenever what the pool needs has changed:
 * a drive came back, its plugin can be used again, a server answers. Each attempt is an operation.
 *
 * One rule decides: a pool that should be mounted and is not is mounted once for each state of what it needs. So what
 * fails is not tried again and again, and what somebody unmounted in a shell while Cairn runs (to check it, say) is not
 * mounted under their hands; an alert tells of it, and the next start brings it back.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '$lib/shared/wire/pools';
import type { Actor } from '$lib/shared/wire/session';
import type { PoolReadDeps } from './deps';
import { keptUnitPath } from './keep-mounted';
import { findPool, listPools, type PoolRecord } from './store';

/** Who asks for what Cairn does by itself. */
export const CAIRN: Actor = { kind: 'system', id: 'cairn', name: 'cairn', role: 'admin', sessionId: null };
const SOON_MS = 500;
/** PID 1 mounts what has a unit by itself when its device comes; it is given the first turn. */
const PID_1_MS = 4_000;
const LOOK_MS = 100;

export interface DesiredPools {
  /** After recovery: begins to mount what should be mounted and has all it needs; from then on also later. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Deps = Pick<PoolReadDeps, 'db' | 'bus' | 'config' | 'host' | 'log' | 'operations'> & {
  pools: { get(guid: string): Pool; refresh(): Promise<void> };
};

/** Everything that has to change before another attempt makes sense. */
const needsOf = (pool: Pool): string =>
  JSON.stringify([
    pool.members.filter((member) => member.status !== 'missing').map((member) => member.driveId),
    pool.verbs.mount.allowed || pool.mounted,
  ]);

export function createDesiredPools(deps: Deps): DesiredPools {
  const { db, bus, config, host, log, operations, pools } = deps;
  /** The needs with which a pool was seen mounted, or was tried, last. */
  const settled = new Map<string, string>();
  /** The needs with which a pool was seen mounted last, also while an operation worked on it. */
  const mountedWith = new Map<string, string>();
  /** What was said last about one that waits: said once. */
  const said = new Map<string, string | null>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let end = (): void => undefined;
  let round: Promise<void> | null = null;

  const isMounted = ({ mountPath }: Pick<PoolRecord, 'mountPath'>): boolean =>
    host.mounts().some((mount) => mount.path === mountPath);

  const hasUnit = ({ mountPath }: PoolRecord): boolean => {
    const unit = keptUnitPath(config, mountPath);
    return unit !== null && existsSync(unit);
  };

  async function mountedByPid1(record: PoolRecord): Promise<boolean> {
    if (!hasUnit(record)) return false;
    for (const until = performance.now() + PID_1_MS; performance.now() < until;) {
      if (isMounted(record) || stopping.signal.aborted) return true;
      await sleep(LOOK_MS);
    }
    return false;
  }

  async function begin(kind: string, guid: string): Promise<void> {
    try {
      await operations.start({ kind, request: { poolGroupGuid: guid }, actor: CAIRN });
    } catch (error) {
      log.error({ error, pool: guid, kind }, 'a pool could not be brought to what it should be');
    }
  }

  function forget(guid: string): void {
    settled.delete(guid);
    mountedWith.delete(guid);
  }
  function noteMounted(): void {
    for (const { guid } of listPools(db)) {
      const pool = pools.get(guid);
      if (pool.mounted) mountedWith.set(guid, needsOf(pool));
    }
  }

  async function bring({ guid }: PoolRecord): Promise<void> {
    const record = findPool(db, guid);
    if (!record?.wantMounted || record.state !== 'ready') return forget(guid);
    const pool = pools.get(guid);
    if (pool.readAt === null || pool.operationId !== null) return;
    const needs = needsOf(pool);
    if (settled.get(guid) === needs) return;
    // Somebody has unmounted it since, right after an operation say.
    if (!pool.mounted && mountedWith.get(guid) === needs) return void settled.set(guid, needs);
    // Not even the drives that it could do without may be missing: whether it runs without them is for a person to say.
    const complete = pool.verbs.mount.allowed && pool.members.every((member) => member.status !== 'missing');
    if (!pool.mounted && !complete) {
      forget(guid);
      if (said.get(guid) !== pool.waiting) log.warn({ pool: guid, why: pool.waiting }, 'not mounted');
      return void said.set(guid, pool.waiting);
    }
    settled.set(guid, needs);
    said.delete(guid);
    if (pool.mounted || (await mountedByPid1(record))) return keep(record);
    await begin('pool.mount', guid);
  }

  /** Pools that were made before there were units, or whose unit somebody removed. */
  async function keep(record: PoolRecord): Promise<void> {
    const unit = keptUnitPath(config, record.mountPath);
    if (unit !== null && !existsSync(unit)) await begin('pool.keep-mounted', record.guid);
  }

  async function bringAll(): Promise<void> {
    const records = listPools(db);
    for (const guid of [...settled.keys(), ...mountedWith.keys()])
      if (!records.some((record) => record.guid === guid)) forget(guid);
    await Promise.all(records.map(bring));
  }

  function soon(): void {
    if (timer !== undefined || stopping.signal.aborted) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (round) return soon();
      round = bringAll()
        .catch((error: unknown) => log.error({ error }, 'comparing pools with what they should be failed'))
        .finally(() => (round = null));
    }, SOON_MS).unref();
  }

  return {
    async start() {
      await pools.refresh();
      await bringAll();
      end = bus.on('pools.changed', () => {
        noteMounted();
        soon();
      });
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      end();
      await round;
    },
  };
}
