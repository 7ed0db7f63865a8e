/**
 * Copies of the configuration in the folder of ours on a pool. A pool may have been written by somebody else: every folder is opened
 * from the one above and never through a link, nothing but a plain file of a size that makes sense is read, and what is written
 * has its name only when it is on disk.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { IDENTITY_FOLDER } from '$lib/plugin-api/identity-file';

const FOLDER_NAME = 'configuration';
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Of all installations that ever wrote to a pool. */
const MOST_READ = 100;
const NEW = '.cairn-new';
/** Installation and number. */
const NAME = /^([0-9a-f]{8}-[0-9a-f-]{27})-(\d{1,12})\.json$/;

const at = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;
/** Not there, or something else in its place. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

export const copyName = (nodeId: string, sequence: number): string => `${nodeId}-${sequence}.json`;
export const copyNameParts = (name: string): { nodeId: string; sequence: number } | null => {
  const [, nodeId, sequence] = NAME.exec(name) ?? [];
  return nodeId === undefined ? null : { nodeId, sequence: Number(sequence) };
};

const openFolder = (path: string): Promise<FileHandle | null> =>
  open(path, FOLDER).catch((error: NodeJS.ErrnoException) => {
    if (ABSENT.has(error.code ?? '')) return null;
    throw error;
  });

/** @param make it is made where it is not there */
async function withFolder<T>(
  root: string,
  make: boolean,
  use: (folder: FileHandle) => Promise<T>,
): Promise<T | null> {
  let folder = await openFolder(root);
  try {
    for (const name of [IDENTITY_FOLDER, FOLDER_NAME]) {
      if (!folder) return null;
      const path = at(folder, name);
      if (make)
        await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
      const next: FileHandle | null = await openFolder(path);
      await folder.close();
      folder = next;
    }
    return folder ? await use(folder) : null;
  } finally {
    await folder?.close();
  }
}

async function readOne(path: string, largestBytes: number): Promise<string | null> {
  const file = await open(path, READ).catch((error: NodeJS.ErrnoException) => {
    if (ABSENT.has(error.code ?? '')) return null;
    throw error;
  });
  if (!file) return null;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= largestBytes ? await file.readFile('utf8') : null;
  } finally {
    await file.close();
  }
}

export interface FoundCopy {
  file: string;
  /** null: it is no plain file, or too large to be one of ours. */
  text: string | null;
}

/** Those of each installation, the newest first. @returns none where there is no folder for them */
export async function readCopiesBelow(root: string, largestBytes: number): Promise<FoundCopy[]> {
  const found = await withFolder(root, false, async (folder) => {
    const names = (await readdir(at(folder, '.')))
      .flatMap((file) => {
        const parts = copyNameParts(file);
        return parts ? [{ file, ...parts }] : [];
      })
      .sort((a, b) => b.sequence - a.sequence)
      .slice(0, MOST_READ);
    return Promise.all(
      names.map(async ({ file }) => ({ file, text: await readOne(at(folder, file), largestBytes) })),
    );
  });
  return found ?? [];
}

/**
 * Temporary file, fsync, rename, fsync of the folder; then all but the newest of the same installation go.
 * @returns false when there is something else where the folder has to be: nothing is written then
 */
export async function writeCopyBelow(
  root: string,
  copy: { nodeId: string; sequence: number; text: string; keep: number },
): Promise<boolean> {
  const written = await withFolder(root, true, async (folder) => {
    const name = copyName(copy.nodeId, copy.sequence);
    const temporary = at(folder, `${name}${NEW}`);
    try {
      const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(copy.text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, at(folder, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await folder.sync();
    const all = await readdir(at(folder, '.'));
    const own = all
      .flatMap((file) => {
        const parts = copyNameParts(file);
        return parts?.nodeId === copy.nodeId ? [{ file, sequence: parts.sequence }] : [];
      })
      .sort((a, b) => b.sequence - a.sequence);
    const cutOff = all.filter((file) => file.startsWith(`${copy.nodeId}-`) && file.endsWith(NEW));
    for (const file of [...own.slice(copy.keep).map((one) => one.file), ...cutOff])
      await rm(at(folder, file), { force: true });
    return true;
  });
  return written ?? false;
}
