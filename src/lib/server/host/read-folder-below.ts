/**
 * Lists a folder below a root that others may have written. It is opened component by component, each from the one before and
 * never through a link, so that nothing outside of the root can be reached, whatever is exchanged meanwhile.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import type { SnapshotFile, SnapshotFolder } from '$lib/shared/wire/snapshots';
import { AppError } from '../errors';

const SHOWN = 1_000;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** The opened folder itself, under a name that can be built on (proc(5)). */
const at = (folder: FileHandle, name = ''): string => `/proc/self/fd/${folder.fd}/${name}`;

function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..' || part.includes('\0')))
    throw new AppError('snapshot_folder_unreadable', `"${path}" is no path below the snapshot.`, {
      remedy: 'Name folders from the root of the snapshot on.',
    });
  return parts;
}

async function opened(path: string, shown: string): Promise<FileHandle> {
  return open(path, FOLDER).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'is not there' : 'is no folder that can be opened';
    throw new AppError('snapshot_folder_unreadable', `"${shown}" ${why}.`, {
      remedy: 'Go back to the root of the snapshot.',
      cause: error,
    });
  });
}

async function entryOf(folder: FileHandle, name: string): Promise<SnapshotFile | null> {
  const found = await lstat(at(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!found) return null;
  const kind = found.isDirectory()
    ? 'folder'
    : found.isFile()
      ? 'file'
      : found.isSymbolicLink()
        ? 'link'
        : 'other';
  return {
    ...{ name, kind, modifiedAt: Math.floor(found.mtimeMs) },
    sizeBytes: kind === 'file' ? found.size : null,
  };
}

/** @throws AppError snapshot_folder_unreadable */
export async function readFolderBelow(root: string, path: string): Promise<SnapshotFolder> {
  const parts = partsOf(path);
  let folder = await opened(root, root);
  try {
    for (const part of parts) {
      const next = await opened(at(folder, part), path);
      await folder.close();
      folder = next;
    }
    const names = (await readdir(at(folder))).sort((a, b) => a.localeCompare(b));
    const shown = await Promise.all(names.slice(0, SHOWN).map((name) => entryOf(folder, name)));
    const entries = shown
      .filter((entry) => entry !== null)
      .sort((a, b) => Number(b.kind === 'folder') - Number(a.kind === 'folder'));
    return { path: parts.join('/'), entries, more: names.length > SHOWN };
  } finally {
    await folder.close();
  }
}
