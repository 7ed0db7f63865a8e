/**
 * Finds images that somebody put onto a pool, and lists them. Nothing on the pool is changed; only records are written, so
 * this is no operation. A pool that somebody works on is left alone at once: an open folder would keep it from being
 * unmounted, so its search is given up and made up for afterwards.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageFormat, ImageLook } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import { toAppError } from '../errors';
import { filesBelow, type FileBelow } from '../host/files-below';
import { isQcow2 } from '../host/image-header';
import { passThrough } from '../host/passers';
import { readIsoLabel } from '../host/iso-label';
import { CATALOG } from './catalog';
import type { ImageDeps } from './deps';
import { formatOfName, IMAGES_FOLDER, isScannedName } from './file-names';
import { guessOs, kindOfName } from './guess-os';
import { canLook } from './presence';
import { changeImage, findByFile, insertImage, type ImageRecord } from './store';

const DEPTH = 6;
const MOST_NAMES = 100_000;
const MOST_NEW = 1_000;
/** A file that was written to this shortly before may still be growing. */
const QUIET_MS = 2_000;
/** When the search that made way is tried again. */
const AWAY_MS = 3_000;

/** images: only the folder that Cairn keeps images in. */
type Extent = 'pool' | 'images';

export interface ImageScan {
  /** To be looked at as soon as it can be. */
  due(poolGuid: string, extent: Extent): void;
  /** Looks at what is due; resolves when nothing is left that can be looked at now. */
  run(): Promise<void>;
  /** Every pool, for a person: what was taken off the list is listed again. */
  lookAgain(): Promise<ImageLook>;
  stop(): Promise<void>;
}

interface Look {
  pool: Pool;
  extent: Extent;
  /** Also what was taken off the list. */
  all: boolean;
  signal: AbortSignal;
}
interface Seen {
  found: number;
  /** Records were written. */
  changed: boolean;
  cut: boolean;
  /** Something may still be growing. */
  unsettled: boolean;
}

export function createImageScan(deps: ImageDeps, changed: () => void): ImageScan {
  const { db, bus, clock, log, pools, operations } = deps;
  const waiting = new Map<string, Extent>();
  const stopping = new AbortController();
  let current: { guid: string; abort: AbortController } | null = null;
  let running: Promise<void> | null = null;
  const timers = new Set<NodeJS.Timeout>();

  const isBusy = (guid: string): boolean => operations.holderId(`pool:${guid}`) !== null;
  const openTo = (guid: string): Pool | null =>
    pools.list().find((pool) => pool.guid === guid && canLook(pool) && !isBusy(guid)) ?? null;

  /** One that is in the records already, by somebody's hand: its size now, and whether it is back on the list. */
  function meetAgain(record: ImageRecord, file: FileBelow, all: boolean, seen: Seen): void {
    if (record.origin !== 'scanned') return;
    const isBack = record.state === 'forgotten' && all;
    // What machines need must not have changed: that is shown, not followed.
    const hasGrown =
      record.state === 'ready' &&
      record.sizeBytes !== file.sizeBytes &&
      (deps.neededBy?.(record.id) ?? []).length === 0;
    if (!isBack && !hasGrown) return;
    db.transaction((tx) => changeImage(tx, record.id, { state: 'ready', sizeBytes: file.sizeBytes }));
    seen.changed = true;
    if (isBack) seen.found += 1;
  }

  /** What the first bytes add to the name. Ubuntu's `.img` are qcow2, others' are raw: afterwards that is declared. */
  async function formatAndLabel(file: FileBelow): Promise<{ format: ImageFormat; label: string | null }> {
    const handle = await file.open();
    try {
      const format = formatOfName(file.name);
      if (format === null) return { format: (await isQcow2(handle)) ? 'qcow2' : 'raw', label: null };
      return { format, label: format === 'iso' ? await readIsoLabel(handle) : null };
    } finally {
      await handle.close();
    }
  }

  /** @returns whether it is new in the list */
  async function list(pool: Pool, path: string, file: FileBelow): Promise<boolean> {
    const { format, label } = await formatAndLabel(file);
    const guess = guessOs(file.name, label);
    const kind = kindOfName(file.name, format === 'iso');
    const like = CATALOG.find(({ os }) => kind === 'cloud' && guess.os !== null && os?.id === guess.os.id);
    return db.transaction((tx) => {
      if (findByFile(tx, pool.guid, path)) return false;
      // Between the walk and now it may have been deleted, with its record: nothing can come between these two.
      if (!lstatSync(join(pool.mountPath, path), { throwIfNoEntry: false })?.isFile()) return false;
      insertImage(tx, {
        ...{ id: randomUUID(), name: file.name, kind, format, ...guess, origin: 'scanned' },
        ...{ catalogId: null, url: null, checksum: null, defaultUser: like?.defaultUser ?? null },
        ...{ minDiskBytes: like?.minDiskBytes ?? null, minMemoryBytes: like?.minMemoryBytes ?? null },
        ...{ poolGuid: pool.guid, file: path, sizeBytes: file.sizeBytes, state: 'ready' },
        createdAt: clock.now(),
      });
      return true;
    });
  }

  async function walk({ pool, extent, all, signal }: Look): Promise<Seen> {
    const seen: Seen = { found: 0, changed: false, cut: false, unsettled: false };
    const base = extent === 'images' ? IMAGES_FOLDER : '';
    const files = filesBelow(join(pool.mountPath, base), {
      isWanted: isScannedName,
      isLeftOut: (path) =>
        path.split('/').some((part) => part.startsWith('.')) || deps.foldersOfOthers.includes(path),
      mounts: deps.mounts,
      depth: extent === 'images' ? 0 : DEPTH,
      ...{ mostNames: MOST_NAMES, signal },
      onCut: () => (seen.cut = true),
    });
    for await (const file of files) {
      const path = join(base, file.path);
      const record = findByFile(db, pool.guid, path);
      if (record) meetAgain(record, file, all, seen);
      else if (file.sizeBytes === 0 || Math.abs(clock.now() - file.modifiedAtMs) < QUIET_MS)
        seen.unsettled ||= file.sizeBytes > 0;
      else if (await list(pool, path, file)) {
        seen.changed = true;
        seen.found += 1;
      }
      if (seen.found < MOST_NEW) continue;
      seen.cut = true;
      break;
    }
    return seen;
  }

  /** @returns null: it could not be looked at, or not to the end */
  async function lookAt(guid: string, extent: Extent, all: boolean): Promise<Seen | null> {
    const pool = openTo(guid);
    if (!pool) return null;
    const abort = new AbortController();
    current = { guid, abort };
    const beganAt = clock.elapsed();
    try {
      const seen = await passThrough(pool.mountPath, (leave) => {
        const signal = AbortSignal.any([abort.signal, stopping.signal, leave]);
        return walk({ pool, extent, all, signal });
      });
      if (seen.unsettled) again(guid, extent, Math.max(QUIET_MS, 10 * (clock.elapsed() - beganAt)));
      if (seen.changed) changed();
      return seen;
    } catch (error) {
      if (stopping.signal.aborted) return null;
      if (abort.signal.aborted) scan.due(guid, extent);
      else if (toAppError(error).code === 'made_way') again(guid, extent, AWAY_MS);
      // No folder for images yet, or a drive that fails: pools tell of that themselves.
      else log.debug({ error, pool: guid }, 'the pool could not be searched');
      return null;
    } finally {
      current = null;
    }
  }
  function again(guid: string, extent: Extent, ms: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      scan.due(guid, extent);
      void scan.run();
    }, ms);
    timers.add(timer);
  }

  async function lookAtAll(): Promise<void> {
    const ready = (): string | undefined => [...waiting.keys()].find((guid) => openTo(guid) !== null);
    for (let guid = ready(); guid !== undefined && !stopping.signal.aborted; guid = ready()) {
      const extent = waiting.get(guid) ?? 'pool';
      waiting.delete(guid);
      await lookAt(guid, extent, false);
    }
  }
  const unsubscribe = [
    bus.on('operation.changed', () => {
      if (current && isBusy(current.guid)) current.abort.abort(new Error('the pool is needed'));
    }),
    bus.on('operation.ended', () => void scan.run()),
  ];

  const scan: ImageScan = {
    due(guid, extent) {
      if (waiting.get(guid) !== 'pool') waiting.set(guid, extent);
    },
    run: () =>
      (running ??= lookAtAll().finally(() => {
        running = null;
      })),
    async lookAgain() {
      while (running) await running;
      const answer: ImageLook = { found: 0, pools: 0, incomplete: [], notLookedAt: [] };
      const work = async (): Promise<void> => {
        for (const { guid, label, mounted } of pools.list()) {
          if (!mounted) continue;
          const seen = await lookAt(guid, 'pool', true);
          if (!seen) answer.notLookedAt.push(label);
          else {
            answer.pools += 1;
            answer.found += seen.found;
            if (seen.cut) answer.incomplete.push(label);
          }
        }
      };
      running = work().finally(() => {
        running = null;
      });
      await running;
      return answer;
    },
    async stop() {
      stopping.abort(new Error('stopping'));
      for (const timer of timers) clearTimeout(timer);
      for (const end of unsubscribe) end();
      await running;
    },
  };
  return scan;
}
