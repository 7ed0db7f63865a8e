/** Files that are complete or not there at all, also when the power goes in between. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Temporary file, fsync, rename, fsync of the directory. */
export async function writeFile(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.cairn-new`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** A new or removed name is on disk only when its directory is. A directory that is gone needs none. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  if (!directory) return;
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
