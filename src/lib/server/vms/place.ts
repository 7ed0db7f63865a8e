/** Where a machine's files are to lie: is it free, is there room, and can its process get there? */
import { lstat, readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Issue } from '$lib/shared/error-codes';
import { issue } from '../errors';
import type { VmRecord } from './store';

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

/** What machines have written on a pool: space that was promised to them and is not free any more. Snapshots take more than that. */
export async function writtenBytes(records: VmRecord[]): Promise<number> {
  const sizes = await Promise.all(
    records.map(({ spec }) =>
      lstat(spec.diskPath)
        .then(({ blocks }) => Math.min(blocks * 512, spec.diskBytes))
        .catch(unlessGone(0)),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
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
