/** The images as they are now: records, what lies at their places, and what the catalog offers besides. One list. */
import type { CatalogRefresh, Image, ImageLook } from '$lib/shared/wire/images';
import type { Operation } from '$lib/shared/wire/operations';
import type { Feed } from '../events/feed';
import { AppError } from '../errors';
import { nodeIdOf } from '../db/node-id';
import type { Operations } from '../operations/types';
import { createCatalogReadings } from './catalog-readings';
import { findEntry } from './catalog-store';
import type { ImageDeps } from './deps';
import { catalogDocument, imageDocument } from './document';
import { allEntries, createCatalog, entryOf, type Catalog } from './entries';
import { hostArch } from './file-names';
import { defineImageOperations } from './define';
import { createInspections } from './inspections';
import { createImagePlaces } from './presence';
import { createUploads, type Uploads } from './uploads';
import { refuseNeeded } from './needed';
import { createImageScan } from './scan';
import { changeImage, deleteImage, findImage, listImages, type ImageRecord } from './store';

const SETTLE_MS = 100;

export interface Images {
  list(): Image[];
  /** @throws AppError image_not_found */
  get(id: string): Image;
  /** Downloads that were asked for and are not recorded yet, by what is asked for. */
  asking: Map<string, Promise<Operation>>;
  start(): void;
  stop(): Promise<void>;
  /** Looks at every file; resolves when the documents show it. */
  refresh(): Promise<void>;
  /** Entries of the catalog that people make. */
  catalog: Catalog;
  /**
   * Asks the publishers of all entries, or of one, what they offer now; downloads nothing.
   * @throws AppError image_not_found
   */
  refreshCatalog(entryId?: string): Promise<CatalogRefresh>;
  /** What people send. */
  uploads: Uploads;
  /** Searches every pool now, also for what was taken off the list. */
  lookAgain(): Promise<ImageLook>;
  /** Takes it off the list; its file stays. @throws AppError image_not_found | image_wrong_state | image_in_use */
  forget(id: string): void;
}

export function createImages(deps: ImageDeps & { feed: Feed; operations: Operations }): Images {
  const { db, bus, feed, pools, operations, log } = deps;
  const nodeId = nodeIdOf(db);
  const places = createImagePlaces(log, () => refreshSoon());
  const inspections = createInspections(deps);
  const scan = createImageScan(deps, () => refreshSoon());
  const unsubscribe: (() => void)[] = [];
  defineImageOperations(operations, deps);
  const offered = () => allEntries(db).filter(({ arch }) => arch === null || arch === hostArch());
  const published = createCatalogReadings(deps, () => publish());
  let mounts = '';
  /** By pool: the mount path at which it was searched, or is about to be. */
  const searched = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const documentOf = (record: ImageRecord): Image =>
    imageDocument({
      ...{ record, nodeId, presence: places.of(record.id), inspection: inspections.of(record.id) },
      pool: pools.list().find((pool) => pool.guid === record.poolGuid) ?? null,
      operationId: operations.holderId(`image:${record.id}`),
      ownEntry: record.catalogId !== null && findEntry(db, record.catalogId) !== null,
      published: record.catalogId === null ? null : published.of(record.catalogId),
    });

  function list(): Image[] {
    const records = listImages(db).filter(({ state }) => state !== 'forgotten');
    const had = new Set(records.map(({ catalogId }) => catalogId));
    return [
      ...records.map(documentOf),
      ...offered()
        .filter(({ id }) => !had.has(id))
        .map((entry) => catalogDocument(entry, published.of(entry.id))),
    ];
  }
  function publish(): void {
    if (stopped) return;
    feed.replace(
      'images',
      list().map((image) => ({ id: image.id, value: image })),
    );
  }
  async function lookAll(): Promise<void> {
    do {
      again = false;
      await places.look(listImages(db), pools.list());
      dropForgotten();
      publish();
      if (await inspections.look(listImages(db), pools.list(), places.of)) publish();
    } while (again && !stopped);
    for (const pool of pools.list()) scan.due(pool.guid, 'images');
    void scan.run();
  }
  /** What was taken off the list, and whose file has gone, needs no record any more. */
  function dropForgotten(): void {
    const gone = listImages(db).filter(({ id, state }) => state === 'forgotten' && places.of(id) === null);
    db.transaction((tx) => {
      for (const { id } of gone) deleteImage(tx, id);
    });
  }
  function refresh(): Promise<void> {
    if (looking) {
      again = true;
      return looking;
    }
    looking = lookAll().finally(() => (looking = null));
    return looking;
  }
  function refreshSoon(): void {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      refresh().catch((error: unknown) => log.error({ error }, 'the images could not be looked at'));
    }, SETTLE_MS);
  }

  /** Pools tell of much that is nothing to images: only their mounts and names are. */
  function followPools(): void {
    const all = pools.list();
    const now = all.map(({ guid, label, mounted, mountPath }) => [guid, label, mounted, mountPath].join());
    if (now.join('\n') === mounts) return;
    mounts = now.join('\n');
    for (const { guid, mounted, mountPath } of all) {
      if (mounted && searched.get(guid) !== mountPath) scan.due(guid, 'pool');
      if (mounted) searched.set(guid, mountPath);
      else searched.delete(guid);
    }
    publish();
    refreshSoon();
  }

  function forget(id: string): void {
    const record = findImage(db, id);
    if (!record || record.state === 'forgotten')
      throw new AppError('image_not_found', `There is no image ${id}.`);
    if (record.origin !== 'scanned' || record.state !== 'ready' || operations.holderId(`image:${id}`))
      throw new AppError(
        'image_wrong_state',
        `"${record.name}" cannot be taken off the list: ${record.origin === 'scanned' ? 'an operation works on it' : 'Cairn put it there'}.`,
        { remedy: 'Wait for its operation, or delete it.' },
      );
    refuseNeeded(deps, record);
    db.transaction((tx) => changeImage(tx, id, { state: 'forgotten' }));
    publish();
  }

  return {
    list,
    get(id) {
      const record = findImage(db, id);
      const image =
        record && record.state !== 'forgotten' ? documentOf(record) : list().find((one) => one.id === id);
      if (!image) throw new AppError('image_not_found', `There is no image ${id}.`);
      return image;
    },
    start() {
      unsubscribe.push(
        bus.on('pools.changed', followPools),
        bus.on('image.changed', () => {
          publish();
          refreshSoon();
        }),
        bus.on('operation.ended', publish),
      );
      publish();
      followPools();
      refreshSoon();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const end of unsubscribe) end();
      places.stop();
      inspections.stop();
      await looking;
      await scan.stop();
    },
    asking: new Map(),
    refresh,
    catalog: createCatalog(deps, (entryId) => published.drop(entryId)),
    refreshCatalog: async (entryId) =>
      entryId === undefined ? published.refreshAll(offered) : published.refresh([entryOf(db, entryId)]),
    uploads: createUploads(deps),
    forget,
    async lookAgain() {
      const answer = await scan.lookAgain();
      await refresh();
      return answer;
    },
  };
}
