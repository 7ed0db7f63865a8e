/** Work on files and folders, done in this process. What was written is on disk when it ends. */
import { chmod, link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Action } from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import { undoDownload } from './download';
import { listFolder } from './list-folder';
import { syncDirectory, unlessMissing, writeFile } from './write-file';

type FileAction = Extract<
  Action,
  {
    do:
      | 'make-directory'
      | 'remove-directory'
      | 'move-directory'
      | 'name-file'
      | 'write-file'
      | 'remove-file'
      | 'list-folder'
      | 'make-sparse-file'
      | 'remove-download';
  }
>;

/** Doing it again after it was done, or half done, is no error. @throws AppError foreign_state, or the error of the file system */
export async function performFileAction(action: FileAction): Promise<void> {
  switch (action.do) {
    case 'make-directory':
      // The mode is set apart: mkdir's own is cut by the umask. A directory that was there keeps its mode.
      if (await mkdir(action.path, { recursive: true })) await chmod(action.path, action.mode);
      return syncDirectory(dirname(action.path));
    case 'remove-directory':
      return removeDirectory(action.path);
    case 'move-directory':
      return moveDirectory(action.from, action.path);
    case 'name-file':
      return nameFile(action.from, action.path);
    case 'write-file':
      return writeFile(action.path, action.content, action.mode);
    case 'remove-file':
      await unlink(action.path).catch(unlessMissing);
      return syncDirectory(dirname(action.path));
    case 'list-folder':
      return listFolder(action.path, action.into);
    case 'remove-download':
      return undoDownload(action.path);
    case 'make-sparse-file':
      return makeSparseFile(action.path, action.sizeBytes);
  }
}

async function removeDirectory(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')
      throw new AppError('foreign_state', `The folder ${path} is not empty, so it was left as it is.`, {
        remedy: 'Look at what is in the folder; move it away, then try again.',
        cause: error,
      });
    unlessMissing(error);
  });
  await syncDirectory(dirname(path));
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      unlessMissing(error);
      return false;
    },
  );

/** rename(2) itself refuses another mount, and a target that is not empty. */
async function moveDirectory(from: string, path: string): Promise<void> {
  if (!(await isThere(from)) && (await isThere(path))) return;
  await rename(from, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    throw new AppError('foreign_state', `There is something at ${path} already, so nothing was moved.`, {
      remedy: 'Look at what is there; move it away, then try again.',
      cause: error,
    });
  });
  await syncDirectory(dirname(path));
  await syncDirectory(dirname(from));
}

/** What is in it is on disk before it has its name. link(2) replaces nothing, whatever comes in between. */
async function nameFile(from: string, path: string): Promise<void> {
  if (!(await isThere(from)) && (await isThere(path))) return;
  const file = await open(from, 'r');
  await file.sync().finally(() => file.close());
  await link(from, path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    const [one, other] = await Promise.all([lstat(from), lstat(path)]);
    // The same file: it was cut between the two names.
    if (one.ino === other.ino && one.dev === other.dev) return;
    throw new AppError('foreign_state', `${path} is there already, so it was left as it is.`, {
      cause: error,
    });
  });
  await unlink(from);
  await syncDirectory(dirname(path));
}

async function makeSparseFile(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    const { size } = await file.stat();
    if (size !== 0 && size !== sizeBytes)
      throw new AppError('foreign_state', `${path} is there already, with another size (${size} bytes).`);
    await file.truncate(sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}
