/**
 * One process a data directory. The lock is SQLite's own lock on a file of its own, held for the life of the process:
 * the kernel lets go of it however the process ends, so there is no stale lock to clear after a kill -9.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from './errors';

/** Who holds it, for the message only; the lock is what counts. */
function holderOf(pidPath: string): number | null {
  try {
    const pid = Number(readFileSync(pidPath, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * @returns a function that lets go of the directory
 * @throws AppError already_running naming the process that has it
 */
export function holdDataDirectory(dataDir: string): () => void {
  const pidPath = join(dataDir, 'lock.pid');
  const lock = new Database(join(dataDir, 'lock.db'), { timeout: 0 });
  try {
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    const pid = holderOf(pidPath);
    throw new AppError(
      'already_running',
      `Cairn already runs on ${dataDir}${pid ? ` (process ${pid})` : ''}.`,
      {
        details: { dataDir, ...(pid ? { pid } : {}) },
        remedy: 'Stop the other process first, or give this one another CAIRN_DATA_DIR.',
      },
    );
  }
  writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  return () => {
    rmSync(pidPath, { force: true });
    lock.close();
  };
}
