/**
 * The snapshots of the pools as they are now, one document a pool. Read when a pool is mounted, when an operation on it
 * ends, when its storage says that something changed, and when somebody opens its page.
 */
import { isCapable, measureSnapshot, readObstacle, readSnapshots } from './asking';
import type { PoolSnapshots, SnapshotFolder, SnapshotScheduleRequest } from '$lib/shared/wire/snapshots';
import type { SnapshotTier } from '$lib/shared/snapshot-tiers';
import { AppError, toAppError } from '../errors';
import type { Feed } from '../events/feed';
import { readFolderBelow } from '../host/read-folder-below';
import type { PoolReadDeps } from '../pools/deps';
import type { Pools } from '../pools/pool';
import { specOf } from '../pools/spec';
import { findPool, listPools, type PoolRecord } from '../pools/store';
import { snapshotsDocument, type SnapshotsRead } from './document';
import {
  deleteSchedule,
  forgetOthers,
  protectSnapshot,
  putSchedule,
  scheduleRows,
  snapshotRows,
} from './store';

export interface Snapshots {
  list(): PoolSnapshots[];
  /** Read now. @throws AppError pool_not_found */
  read(guid: string): Promise<PoolSnapshots>;
  /** Files of a snapshot. @throws AppError snapshot_not_found | snapshot_folder_unreadable */
  files(guid: string, name: string, path: string): Promise<SnapshotFolder>;
  /** Bytes that would be free without it. @throws AppError snapshot_not_found | not_supported */
  measure(guid: string, name: string): Promise<number>;
  /** So that nobody removes it; or as before. @throws AppError pool_not_found | snapshot_not_found */
  protect(guid: string, name: string, value: boolean): Promise<PoolSnapshots>;
  /** One schedule for each tier of a pool. @throws AppError pool_not_found | not_supported */
  schedule(guid: string, wanted: SnapshotScheduleRequest): PoolSnapshots;
  unschedule(guid: string, tier: SnapshotTier): PoolSnapshots;
  /** Documents that the database or the clock changed. */
  publish(): void;
  start(): void;
  stop(): Promise<void>;
}

export type SnapshotDeps = PoolReadDeps & { feed: Feed; pools: Pick<Pools, 'get'> };

export function createSnapshots(deps: SnapshotDeps): Snapshots {
  const { db, host, bus, feed, clock, log, plugins, drives, operations } = deps;
  const last = new Map<string, SnapshotsRead>();
  /** What of a pool decides whether its snapshots can be read: read again when that has changed. */
  const seen = new Map<string, string>();
  const busy = new Map<string, Promise<void>>();
  const unsubscribe: (() => void)[] = [];
  let stopped = false;

  const specFor = (record: PoolRecord) =>
    specOf(record, (id) => {
      const drive = drives.find(id);
      return drive?.present ? drive : null;
    });
  const isMounted = ({ mountPath }: PoolRecord): boolean =>
    host.mounts().some((mount) => mount.path === mountPath);
  const isCapableRecord = ({ plugin }: PoolRecord): boolean => isCapable(plugins.known(plugin));

  const documentOf = (record: PoolRecord): PoolSnapshots =>
    snapshotsDocument(record.guid, {
      read: last.get(record.guid) ?? null,
      rows: snapshotRows(db, record.guid),
      schedules: scheduleRows(db, record.guid),
      now: clock.now(),
    });
  const list = (): PoolSnapshots[] => listPools(db).filter(isCapableRecord).map(documentOf);
  function publish(): void {
    if (stopped) return;
    feed.replace(
      'snapshots',
      list().map((value) => ({ id: value.id, value })),
    );
  }

  async function ask(record: PoolRecord): Promise<SnapshotsRead> {
    const base = { list: [], measurable: false, readAt: clock.now(), error: null };
    const plugin = plugins.known(record.plugin);
    if (!isCapable(plugin)) return { ...base, createWhy: 'Its plugin has no snapshots.', rollBackWhy: null };
    const unmounted = 'Mount the pool first.';
    if (record.state !== 'ready' || !isMounted(record))
      return { ...base, createWhy: unmounted, rollBackWhy: unmounted };
    const spec = specFor(record);
    const [found, createWhy, rollBackWhy] = await Promise.all([
      readSnapshots(plugins, plugin, spec),
      readObstacle(plugins, plugin, spec, 'create'),
      readObstacle(plugins, plugin, spec, 'roll-back'),
    ]);
    const measurable = plugin.snapshots.measure !== undefined;
    return { ...base, list: found, createWhy, rollBackWhy, measurable };
  }

  async function readNow(guid: string): Promise<void> {
    const record = findPool(db, guid);
    if (!record || stopped) return void last.delete(guid);
    try {
      last.set(guid, await ask(record));
    } catch (thrown) {
      // While an operation has the pool in its hands, its end brings the truth.
      const { message, remedy } = toAppError(thrown);
      const before = last.get(guid);
      log.warn({ error: thrown, pool: guid }, 'the snapshots of a pool could not be read');
      last.set(guid, {
        ...{ list: before?.list ?? [], createWhy: message, rollBackWhy: message, measurable: false },
        ...{ error: remedy ? `${message} ${remedy}` : message, readAt: clock.now() },
      });
    }
    publish();
  }

  /** One reading of a pool at a time; who asks meanwhile gets one that began after the question. */
  function read(guid: string): Promise<void> {
    const running = busy.get(guid);
    const next = (running ? running.then(() => readNow(guid)) : readNow(guid)).finally(() => {
      if (busy.get(guid) === next) busy.delete(guid);
    });
    busy.set(guid, next);
    return next;
  }
  const readSoon = (guid: string): void => {
    if (!stopped) read(guid).catch((error: unknown) => log.error({ error }, 'reading snapshots failed'));
  };

  function readChanged(): void {
    const records = listPools(db).filter(isCapableRecord);
    for (const record of records) {
      const key = JSON.stringify([
        record.state,
        isMounted(record),
        operations.holderId(`pool:${record.guid}`),
      ]);
      if (seen.get(record.guid) === key) continue;
      seen.set(record.guid, key);
      if (operations.holderId(`pool:${record.guid}`) === null) readSoon(record.guid);
    }
    for (const guid of seen.keys())
      if (!records.some((record) => record.guid === guid)) {
        seen.delete(guid);
        last.delete(guid);
        publish();
      }
  }

  function recordOf(guid: string): PoolRecord {
    const record = findPool(db, guid.toLowerCase());
    if (!record) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
    return record;
  }
  async function snapshotIn(record: PoolRecord, name: string) {
    await read(record.guid);
    const found = last.get(record.guid)?.list.find((one) => one.name === name);
    if (found) return found;
    throw new AppError('snapshot_not_found', `The pool "${record.label}" has no snapshot "${name}".`);
  }

  return {
    list,
    async read(guid) {
      const record = recordOf(guid);
      await read(record.guid);
      return documentOf(record);
    },
    async files(guid, name, path) {
      const record = recordOf(guid);
      const { path: root } = await snapshotIn(record, name);
      if (root === null)
        throw new AppError('snapshot_folder_unreadable', `The files of "${name}" are not mounted anywhere.`, {
          remedy: 'Roll back to it, or mount it by hand, to see what is in it.',
        });
      return readFolderBelow(root, path);
    },
    async measure(guid, name) {
      const record = recordOf(guid);
      await snapshotIn(record, name);
      const plugin = plugins.storage(record.plugin);
      if (!isCapable(plugin)) throw new AppError('not_supported');
      return measureSnapshot(plugins, plugin, specFor(record), name);
    },
    async protect(guid, name, value) {
      const record = recordOf(guid);
      const { createdAt } = await snapshotIn(record, name);
      protectSnapshot(db, { poolGuid: record.guid, name, madeAt: createdAt ?? clock.now() }, value);
      publish();
      return documentOf(record);
    },
    schedule(guid, wanted) {
      const record = recordOf(guid);
      const plugin = plugins.known(record.plugin);
      const why = last.get(record.guid)?.createWhy ?? null;
      if (!isCapable(plugin) || (why !== null && record.state === 'ready' && isMounted(record)))
        throw new AppError('not_supported', `The pool "${record.label}" cannot have snapshots.`, {
          remedy: why ?? 'Pools of btrfs, ZFS and LVM (thin) have them.',
        });
      putSchedule(db, record.guid, wanted, clock.now());
      publish();
      return documentOf(record);
    },
    unschedule(guid, tier) {
      const record = recordOf(guid);
      deleteSchedule(db, record.guid, tier);
      publish();
      return documentOf(record);
    },
    publish,
    start() {
      forgetOthers(
        db,
        listPools(db).map(({ guid }) => guid),
      );
      unsubscribe.push(
        bus.on('pools.changed', readChanged),
        bus.on('operation.ended', ({ id }) => {
          const { subject } = operations.get(id);
          const record = subject.type === 'pool' ? findPool(db, subject.id) : null;
          if (record && isCapableRecord(record)) readSoon(record.guid);
        }),
        bus.on('storage.changed', ({ plugin }) => {
          for (const record of listPools(db))
            if (record.plugin === plugin && operations.holderId(`pool:${record.guid}`) === null)
              readSoon(record.guid);
        }),
      );
      publish();
      readChanged();
    },
    async stop() {
      stopped = true;
      for (const end of unsubscribe) end();
      await Promise.allSettled(busy.values());
    },
  };
}
