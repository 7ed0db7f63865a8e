/** Where a machine's files are to lie: is it free, is there room, and can its process get there? */
import { lstat, readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { VmDisk } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import type { Pool } from '$lib/shared/wire/pools';
import { issue } from '../errors';
import { countedDisks } from './accounts';
import type { VmDeps } from './deps';
import { listVms } from './store';

/** Folder in a pool that machines go to. */
export const MACHINES_FOLDER = 'machines';

export const folderOf = (mountPath: string, name: string): string =>
  posix.join(mountPath, MACHINES_FOLDER, name);

const unlessGone = <T>(other: T) => {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return other;
    throw error;
  };
};

/** Names in a folder; null: there is none. */
export const namesIn = (folder: string): Promise<string[] | null> =>
  readdir(folder).catch(unlessGone<string[] | null>(null));

export async function folderIssues(folder: string): Promise<Issue[]> {
  const names = await namesIn(folder);
  return names && names.length > 0
    ? [
        issue(
          'file_exists',
          `The folder ${folder} is there already and not empty: ${names.slice(0, 3).join(', ')}.`,
          'name',
        ),
      ]
    : [];
}

/** Left free besides the disks. */
const RESERVE_BYTES = 64 * 1024 ** 2;
/** stat(2) counts in these, whatever the filesystem does. */
const BLOCK_BYTES = 512;

/** Space of the pool that a disk takes now; null: its file is not there. */
export const takenBytes = ({ path }: Pick<VmDisk, 'path'>): Promise<number | null> =>
  lstat(path).then(({ blocks }) => blocks * BLOCK_BYTES, unlessGone<number | null>(null));

/** What was written of disks: space that was promised and is not free any more. Snapshots take more than that. */
export async function writtenBytes(disks: Pick<VmDisk, 'path' | 'sizeBytes'>[]): Promise<number> {
  const sizes = await Promise.all(
    disks.map(async (disk) => Math.min((await takenBytes(disk)) ?? 0, disk.sizeBytes)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What a pool has for disks: what is free, and what its machines have written of theirs already. */
export async function roomOn(
  { db, host }: Pick<VmDeps, 'db' | 'host'>,
  pool: Pick<Pool, 'guid' | 'mountPath'>,
): Promise<number> {
  const disks = listVms(db)
    .filter(({ poolGuid, state }) => poolGuid === pool.guid && state !== 'failed')
    .flatMap(({ spec }) => countedDisks(spec));
  const [usage, written] = await Promise.all([host.usage(pool.mountPath), writtenBytes(disks)]);
  return usage.availableBytes - RESERVE_BYTES + written;
}

/** A guest's process runs as a user of its own: every folder above its files has to let others pass. */
export async function reachIssues(path: string, field: string): Promise<Issue[]> {
  for (let folder = posix.dirname(path); folder !== '/'; folder = posix.dirname(folder)) {
    const mode = await stat(folder).then((found) => found.mode, unlessGone<number | null>(null));
    if (mode !== null && (mode & 0o001) === 0)
      return [issue('folder_not_reachable', `Nobody but its owner may pass through ${folder}.`, field)];
  }
  return [];
}
