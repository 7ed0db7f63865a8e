/** The images as they are now: records, what lies at their places, and what the catalog offers besides. One list. */
import type { Image } from '$lib/shared/wire/images';
import type { Feed } from '../events/feed';
import { AppError } from '../errors';
import { nodeIdOf } from '../db/node-id';
import type { Operations } from '../operations/types';
import { CATALOG } from './catalog';
import type { ImageDeps } from './deps';
import { catalogDocument, imageDocument } from './document';
import { hostArch } from './file-names';
import { defineImageOperations } from './define';
import { createImagePlaces } from './presence';
import { findImage, listImages, type ImageRecord } from './store';

const SETTLE_MS = 100;

export interface Images {
  list(): Image[];
  /** @throws AppError image_not_found */
  get(id: string): Image;
  start(): void;
  stop(): Promise<void>;
  /** Looks at every file; resolves when the documents show it. */
  refresh(): Promise<void>;
}

export function createImages(deps: ImageDeps & { feed: Feed; operations: Operations }): Images {
  const { db, bus, feed, pools, operations, log } = deps;
  const nodeId = nodeIdOf(db);
  const places = createImagePlaces(log, () => refreshSoon());
  const unsubscribe: (() => void)[] = [];
  defineImageOperations(operations, deps);
  const offered = CATALOG.filter(({ arch }) => arch === hostArch());
  let mounts = '';
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const documentOf = (record: ImageRecord): Image =>
    imageDocument({
      ...{ record, nodeId, presence: places.of(record.id) },
      pool: pools.list().find((pool) => pool.guid === record.poolGuid) ?? null,
      operationId: operations.holderId(`image:${record.id}`),
    });

  function list(): Image[] {
    const records = listImages(db);
    const had = new Set(records.map(({ catalogId }) => catalogId));
    return [...records.map(documentOf), ...offered.filter(({ id }) => !had.has(id)).map(catalogDocument)];
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
    } while (again && !stopped);
    publish();
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
    const now = pools
      .list()
      .map(({ guid, label, mounted, mountPath }) => [guid, label, mounted, mountPath].join());
    if (now.join('\n') === mounts) return;
    mounts = now.join('\n');
    publish();
    refreshSoon();
  }

  return {
    list,
    get(id) {
      const record = findImage(db, id);
      const image = record ? documentOf(record) : list().find((one) => one.id === id);
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
      refreshSoon();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const end of unsubscribe) end();
      places.stop();
      await looking;
    },
    refresh,
  };
}
