/**
 * The pools as they are now: records from the database, everything else read from the machine. Mounts, drives, ended
 * operations and written records each cause a new reading; used space has no event, so it is sampled while somebody looks.
 */
import { mkdirSync } from 'node:fs';
import type { Operation } from '$lib/shared/wire/operations';
import type { MountProcess, Pool } from '$lib/shared/wire/pools';
import { AppError } from '../errors';
import type { Feed } from '../events/feed';
import type { PoolReadDeps } from './deps';
import { poolDocument } from './document';
import { latestEventId } from './history-store';
import { mountsOfPools } from './mounts-of-pools';
import { createPoolReadings } from './reading';
import { dropSecrets, sweepSecrets } from './secrets';
import { whenReady, type ReadyOptions } from './when-ready';
import { createWorkSampler } from './work-sampler';
import { changePool, findByDrive, findPool, listPools, type PoolRecord } from './store';

const SAMPLE_MS = 5_000;

export interface Pools {
  list(): Pool[];
  /** @throws AppError pool_not_found */
  get(guid: string): Pool;
  /** The pool, or, when there is none, the operation that made or removed it last. @throws AppError pool_not_found */
  getOrLast(guid: string): Pool | Operation;
  poolOfDrive(driveId: string): { guid: string; label: string } | null;
  /** Programs that keep it from being unmounted. @throws AppError pool_not_found */
  processes(guid: string): Promise<MountProcess[]>;
  start(): void;
  /** Resolves when nothing is being read any more: a probe keeps a device open. */
  stop(): Promise<void>;
  /** Resolves when the pool has been read once: also by somebody else who is at it. */
  firstReading(guid: string): Promise<void>;
  /** Asks the machine about one pool or all; resolves when the documents show the answer. */
  refresh(guid?: string): Promise<void>;
  /** Finds records that say that something is being done to their pool while nothing is; reports and mends them. */
  sweep(): void;
  /** For whoever needs its files: see when-ready.ts. @throws AppError pool_not_found | pool_not_ready | cancelled */
  whenReady(guid: string, options?: ReadyOptions): Promise<Pool>;
}

export function createPools(deps: PoolReadDeps & { feed: Feed }): Pools {
  const { db, host, bus, feed, clock, log, plugins, operations } = deps;
  const { last: readings, read, sample, ...asking } = createPoolReadings(deps);
  const unsubscribe: (() => void)[] = [];
  let sampler: NodeJS.Timeout | undefined;
  let reading: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  // The inventory itself: the drives' documents ask back which pool they belong to, for every drive.
  const isPresent = (driveId: string): boolean =>
    host.blockDevices.current().some((drive) => drive.id === driveId);

  /** Why the last mount, by whoever asked for it, did not work. */
  function mountError(guid: string): string | null {
    const last = operations.latest('pool.mount', guid);
    return last?.state === 'failed' ? (last.error?.message ?? null) : null;
  }

  function documentOf(record: PoolRecord): Pool {
    const view = feed.get('plugins', record.plugin);
    const last = readings.get(record.guid) ?? null;
    return poolDocument({
      record,
      last,
      operation: operations.holder(`pool:${record.guid}`),
      plugin: plugins.known(record.plugin),
      unavailable: view
        ? view.available
          ? null
          : [view.reason, view.remedy].filter(Boolean).join(' ')
        : `Its plugin "${record.plugin}" is not installed.`,
      isPresent,
      lastEventId: latestEventId(db, record.guid),
      mountError: last?.reading?.mounted === false ? mountError(record.guid) : null,
    });
  }

  function publish(): void {
    if (stopped) return;
    const documents = listPools(db).map(documentOf);
    const known = new Set(documents.map((pool) => pool.guid));
    for (const guid of readings.keys()) if (!known.has(guid)) readings.delete(guid);
    feed.replace(
      'pools',
      documents.map((pool) => ({ id: pool.guid, value: pool })),
    );
    bus.emit('pools.changed', {});
  }

  async function readAll(): Promise<void> {
    do {
      again = false;
      // Each is shown as soon as it is known: one that answers slowly does not keep the others waiting.
      await Promise.all(listPools(db).map((record) => read(record).then(publishSoon)));
      publish();
    } while (again && !stopped);
  }

  /** One round at a time; what changes during a round causes exactly one more. */
  function refreshAll(): Promise<void> {
    if (reading) {
      again = true;
      return reading;
    }
    reading = readAll().finally(() => (reading = null));
    return reading;
  }
  const refreshSoon = (): void => {
    if (stopped) return;
    refreshAll().catch((error: unknown) => log.error({ error }, 'reading the pools failed'));
  };

  /**
   * A drive has come or left: its pool is asked at once, whatever reading is under way. That one began before, and a drive
   * that does not answer any more may keep it for long.
   */
  let presentBefore = new Set<string>();
  function lookAtDrives(): void {
    const now = new Set(host.blockDevices.current().map((drive) => drive.id));
    const before = presentBefore;
    presentBefore = now;
    const hasChanged = (id: string): boolean => now.has(id) !== before.has(id);
    const failed = (error: unknown): void => log.error({ error }, 'reading a pool failed');
    for (const record of reading === null ? [] : listPools(db))
      if (record.drives.some(({ driveId }) => hasChanged(driveId)))
        read(record).then(publishSoon).catch(failed);
    publishSoon();
    refreshSoon();
  }

  /** The mount table alone tells whether a pool is mounted: that is shown at once, and what its tools say follows. */
  function showMounts(): void {
    for (const record of listPools(db)) {
      const last = readings.get(record.guid);
      const mount = host.mounts().findLast((entry) => entry.path === record.mountPath);
      // A dataset or a share: only its plugin knows whether it is the pool's.
      if (mount && !mount.source.startsWith('/dev/')) continue;
      const driveId = mount ? host.blockDevices.driveIdOf(mount.source) : null;
      // From an array or another device that is made of drives: its plugin tells too.
      if (mount && driveId === null) continue;
      const mounted = driveId !== null && record.drives.some((drive) => drive.driveId === driveId);
      if (!last?.reading || last.reading.mounted === mounted) continue;
      const sizes = mounted ? {} : { sizeBytes: null, usedBytes: null, availableBytes: null };
      readings.set(record.guid, { ...last, reading: { ...last.reading, ...sizes, mounted } });
    }
    publish();
  }

  let mountsBefore = '';
  /** Since it was asked last, and as far as a pool could have to do with it. */
  function mountsChanged(): boolean {
    const now = mountsOfPools(host.mounts(), listPools(db), host.blockDevices.driveIdOf);
    const changed = now !== mountsBefore;
    mountsBefore = now;
    return changed;
  }

  /** The steps of an operation come in quick succession: their documents are made once a turn. */
  let publishing: NodeJS.Immediate | undefined;
  function publishSoon(): void {
    publishing ??= setImmediate(() => {
      publishing = undefined;
      publish();
    });
  }

  function pollOf(guid: string): { everyMs?: number } {
    const everyMs = plugins.known(findPool(db, guid)?.plugin ?? '')?.pollMs;
    return everyMs === undefined ? {} : { everyMs };
  }

  let sampling = false;
  async function sampleUsage(): Promise<void> {
    if (sampling) return;
    sampling = true;
    const failed = (error: unknown): void => {
      // A pool that was unmounted in this very moment: the mount's own event brings the truth.
      log.debug({ error }, 'sampling used space failed');
    };
    // Work of the kernel moves on without an event: then everything is asked, not only how full it is.
    const look = (record: PoolRecord): Promise<void> =>
      readings.get(record.guid)?.reading?.work?.length ? read(record) : sample(record);
    await Promise.all(listPools(db).map((record) => look(record).catch(failed)));
    sampling = false;
    publish();
  }

  function watch(count: number): void {
    if (count > 0 && !sampler) sampler = setInterval(() => void sampleUsage(), SAMPLE_MS).unref();
    if (count === 0) {
      clearInterval(sampler);
      sampler = undefined;
    }
  }

  function recordOf(guid: string): PoolRecord {
    const record = findPool(db, guid.toLowerCase());
    if (!record) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
    return record;
  }

  return {
    list: () => listPools(db).map(documentOf),
    get: (guid) => documentOf(recordOf(guid)),
    getOrLast(guid) {
      const id = guid.toLowerCase();
      const record = findPool(db, id);
      if (record) return documentOf(record);
      const last = ['pool.create', 'pool.remove', 'pool.release']
        .map((kind) => operations.latest(kind, id))
        .filter((operation) => operation !== null)
        .toSorted((a, b) => b.seq - a.seq)[0];
      if (!last) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
      return last;
    },
    poolOfDrive: (driveId) => findByDrive(db, driveId),
    async processes(guid) {
      const record = recordOf(guid);
      const mounted = host.mounts().some((mount) => mount.path === record.mountPath);
      return mounted ? host.processesUsing(record.mountPath) : [];
    },
    start() {
      mkdirSync(deps.config.mountRoot, { recursive: true, mode: 0o755 });
      sweepSecrets(deps.config, (guid) => findPool(db, guid) !== null);
      unsubscribe.push(
        bus.on('mounts.changed', () => {
          showMounts();
          if (mountsChanged()) refreshSoon();
        }),
        bus.on('drives.changed', lookAtDrives),
        bus.on('storage.changed', refreshSoon),
        bus.on('operation.ended', refreshSoon),
        bus.on('pool.changed', ({ guid }) => {
          if (!findPool(db, guid)) dropSecrets(deps.config, guid);
          publish();
          refreshSoon();
        }),
        bus.on('operation.changed', publishSoon),
        bus.on('pool.history', publishSoon),
        bus.on('watchers.changed', ({ count }) => watch(count)),
      );
      watch(feed.subscriberCount());
      const sampling = createWorkSampler({
        pools: () =>
          [...readings].map(([guid, { reading: found, readAt }]) => ({
            ...{ guid, readAt, busy: (found?.work?.length ?? 0) > 0 },
            ...pollOf(guid),
          })),
        watched: () => feed.subscriberCount() > 0,
        read: async (guid) => {
          const record = findPool(db, guid);
          if (record && !stopped) await read(record);
          publish();
        },
        now: () => clock.now(),
        log,
      });
      unsubscribe.push(() => sampling.stop());
      publish();
      refreshSoon();
    },
    async stop() {
      stopped = true;
      asking.stop();
      for (const end of unsubscribe) end();
      watch(0);
      await reading?.catch((error: unknown) => log.debug({ error }, 'a reading ended with the pools'));
    },
    async firstReading(guid) {
      const record = recordOf(guid);
      if (readings.has(record.guid)) return;
      await (asking.underWay(record.guid) ?? read(record));
      publish();
    },
    async refresh(guid) {
      if (guid === undefined) return refreshAll();
      await read(recordOf(guid));
      publish();
    },
    sweep() {
      for (const { guid, label, state } of listPools(db)) {
        if ((state !== 'creating' && state !== 'deleting') || operations.holder(`pool:${guid}`)) continue;
        log.error({ pool: guid, state }, 'a pool has no operation that would bring it out of its state');
        const errorMessage = `The pool was ${state}, and no operation of it is left. Nothing on its drives was touched now: look at them, then remove the pool "${label}".`;
        db.transaction((tx) => changePool(tx, guid, { state: 'error', errorMessage }, clock.now()));
        bus.emit('pool.changed', { guid });
      }
    },
    whenReady: (guid, options) => whenReady({ bus, get: (id) => documentOf(recordOf(id)) }, guid, options),
  };
}
