/**
 * Walks through the files below a root that others may have written. A folder is opened from the one before and never
 * through a link, so that nothing outside of the root is reached, whatever is exchanged meanwhile; what is mounted below the
 * root is another filesystem and is left out.
 */
import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir, realpath, type FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import type { MountEntry } from './types';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** A pipe is not waited for. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The opened folder itself, under a name that can be built on (proc(5)). */
const at = (folder: FileHandle, name = ''): string => `/proc/self/fd/${folder.fd}/${name}`;

export interface FileBelow {
  /** Below the root, without a leading slash. */
  path: string;
  name: string;
  sizeBytes: number;
  modifiedAtMs: number;
  /** Until the next file is asked for; whoever opens it closes it. */
  open(): Promise<FileHandle>;
}
export interface Walk {
  isWanted(name: string): boolean;
  /** Folders that are left out, by their path below the root. */
  isLeftOut(path: string): boolean;
  mounts(): MountEntry[];
  /** Levels of folders below the root; 0: only the root itself. */
  depth: number;
  /** Names that are looked at before the walk gives up. */
  mostNames: number;
  signal: AbortSignal;
  /** Told once when the walk gave up. */
  onCut(): void;
}

const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES']);
/** null: it went, or became something else, since its name was read. */
const unlessGone = (error: NodeJS.ErrnoException): null => {
  if (GONE.has(error.code ?? '')) return null;
  throw error;
};

async function fileAt(folder: FileHandle, path: string, name: string): Promise<FileBelow | null> {
  const found = await lstat(at(folder, name)).catch(unlessGone);
  if (!found?.isFile()) return null;
  return {
    ...{ path, name, sizeBytes: found.size, modifiedAtMs: found.mtimeMs },
    open: () => open(at(folder, name), FILE),
  };
}

/** @throws the error of the file system; the signal's reason */
export async function* filesBelow(root: string, walk: Walk): AsyncGenerator<FileBelow> {
  const top = await open(root, FOLDER);
  const real = await realpath(root);
  let left = walk.mostNames;
  const isMount = (path: string): boolean =>
    walk.mounts().some((mount) => mount.path === posix.join(real, path));

  async function* below(folder: FileHandle, base: string, depth: number): AsyncGenerator<FileBelow> {
    for await (const entry of await opendir(at(folder))) {
      walk.signal.throwIfAborted();
      left -= 1;
      if (left === -1) walk.onCut();
      if (left < 0) return;
      const path = posix.join(base, entry.name);
      if (entry.isDirectory()) yield* into(folder, entry, path, depth);
      else if (entry.isFile() && walk.isWanted(entry.name)) {
        const file = await fileAt(folder, path, entry.name);
        if (file) yield file;
      }
    }
  }
  async function* into(parent: FileHandle, entry: Dirent, path: string, depth: number) {
    if (depth === 0 || walk.isLeftOut(path) || isMount(path)) return;
    const folder = await open(at(parent, entry.name), FOLDER).catch(unlessGone);
    if (!folder) return;
    try {
      yield* below(folder, path, depth - 1);
    } finally {
      await folder.close();
    }
  }
  try {
    yield* below(top, '', walk.depth);
  } finally {
    await top.close();
  }
}
