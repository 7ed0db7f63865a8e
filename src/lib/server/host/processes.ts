/** Who holds a mount point, read from /proc: open files, working directory, root and mappings. Source: proc(5). */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { askToLeave } from './passers';

export interface PathUser {
  pid: number;
  command: string;
  user: string;
  /** The first path below the mount point that it was found with. */
  path: string;
}

const GONE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);
/** A process may end, and its entries vanish, between two reads: what cannot be read any more does not count. */
const orNull = async <T>(promise: Promise<T>): Promise<T | null> =>
  promise.catch((error: NodeJS.ErrnoException) => {
    if (GONE.has(error.code ?? '')) return null;
    throw error;
  });

async function userNames(): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const line of ((await orNull(readFile('/etc/passwd', 'utf8'))) ?? '').split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid) names.set(uid, name);
  }
  return names;
}

async function pathsOf(pid: string, isBelow: (path: string) => boolean): Promise<string | null> {
  const folder = `/proc/${pid}`;
  for (const link of ['cwd', 'root', 'exe']) {
    const path = await orNull(readlink(`${folder}/${link}`));
    if (path && isBelow(path)) return path;
  }
  for (const descriptor of (await orNull(readdir(`${folder}/fd`))) ?? []) {
    const path = await orNull(readlink(`${folder}/fd/${descriptor}`));
    if (path && isBelow(path)) return path;
  }
  // address perms offset dev inode, then the path
  for (const line of ((await orNull(readFile(`${folder}/maps`, 'utf8'))) ?? '').split('\n')) {
    const path = line.slice(line.indexOf('/'));
    if (line.includes('/') && isBelow(path)) return path;
  }
  return null;
}

const below = (mountPath: string): ((path: string) => boolean) => {
  const begin = mountPath === '/' ? '/' : `${mountPath}/`;
  return (path) => path === mountPath || path.startsWith(begin);
};

/** What this process has open at or below a mount point; null: nothing, or it is gone. */
export const pathHeldBy = (pid: number, mountPath: string): Promise<string | null> =>
  pathsOf(String(pid), below(mountPath));

/**
 * Processes with something open at or below a mount point, ordered by pid; those of ours who only look have left. About 0.1 ms a process of the machine.
 * @param mountPath absolute, as the mount table has it
 */
export async function processesUsing(mountPath: string): Promise<PathUser[]> {
  await askToLeave(mountPath);
  const isBelow = below(mountPath);
  const users = await userNames();
  const found: PathUser[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const path = await pathsOf(pid, isBelow);
    if (!path) continue;
    const [name, status] = await Promise.all([
      orNull(readFile(`/proc/${pid}/comm`, 'utf8')),
      orNull(readFile(`/proc/${pid}/status`, 'utf8')),
    ]);
    const uid = /^Uid:\t(\d+)/m.exec(status ?? '')?.[1] ?? '';
    if (name) found.push({ pid: Number(pid), command: name.trim(), user: users.get(uid) ?? uid, path });
  }
  return found.sort((a, b) => a.pid - b.pid);
}
