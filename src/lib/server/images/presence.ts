/** Are the files of images still there? Looked at when a pool comes or goes, and live where the folder can be watched. */
import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Pool } from '$lib/shared/wire/pools';
import { createFolderWatches } from '../host/folder-watches';
import type { Logger } from '../log';
import type { Presence } from './document';
import { IMAGES_FOLDER } from './file-names';
import type { ImageRecord } from './store';

export interface ImagePlaces {
  of(id: string): Presence;
  /** Looks at all of them; resolves when the answers are there. */
  look(records: ImageRecord[], pools: Pool[]): Promise<void>;
  stop(): void;
}

/** A share whose server is gone keeps whoever asks: only pools on drives of this host are looked at. */
export const canLook = (pool: Pool): boolean => pool.mounted && pool.members.length > 0;

async function presenceAt(path: string): Promise<Presence> {
  try {
    const found = await lstat(path);
    return found.isFile() ? { sizeBytes: found.size, modifiedAtMs: found.mtimeMs } : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return null;
    return undefined; // a drive that fails says nothing about the file
  }
}

export function createImagePlaces(log: Pick<Logger, 'debug'>, changed: () => void): ImagePlaces {
  const seen = new Map<string, Presence>();
  const folderWatches = createFolderWatches(log, changed);

  return {
    of: (id) => seen.get(id),
    async look(records, pools) {
      const folders = new Set(
        pools.filter(canLook).map(({ mountPath }) => posix.join(mountPath, IMAGES_FOLDER)),
      );
      const answers = await Promise.all(
        records.map(async (record): Promise<[string, Presence]> => {
          const pool = pools.find((one) => one.guid === record.poolGuid);
          // What is still being made is not missed yet.
          if (!pool || !canLook(pool) || record.state === 'creating') return [record.id, undefined];
          const path = posix.join(pool.mountPath, record.file);
          folders.add(posix.dirname(path));
          return [record.id, await presenceAt(path)];
        }),
      );
      seen.clear();
      for (const [id, presence] of answers) seen.set(id, presence);
      folderWatches.follow(folders);
    },
    stop: () => folderWatches.stop(),
  };
}
