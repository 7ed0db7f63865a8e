/** Who holds a mount point, read from /proc: open files, working directory, root and mappings. Source: proc(5). */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** The parent of a process; null: it is gone. Source: proc_pid_stat(5), whose second field may hold any character. */
async function parentOf(pid: number): Promise<number | null> {
  const stat = await orNull(readFile(`/proc/${pid}/stat`, 'utf8'));
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
}

/** It is gone, or soon will be: one of ours has begun it, to look at something. */
async function isLeaving(pid: number): Promise<boolean> {
  let parent = await parentOf(pid);
  while (parent !== null && parent > 1 && parent !== process.pid) parent = await parentOf(parent);
  return parent === null || parent === process.pid;
}

const LOOK_MS = 2_000;
const AGAIN_MS = 20;

/**
 * Processes with something open at or below a mount point, ordered by pid; those of ours who only look have left, or have been
 * waited for. About 0.1 ms a process of the machine.
 * @param mountPath absolute, as the mount table has it
 */
export async function processesUsing(mountPath: string): Promise<PathUser[]> {
  await askToLeave(mountPath);
  for (const until = performance.now() + LOOK_MS; ; await sleep(AGAIN_MS)) {
    const found = await usersNow(mountPath);
    if (performance.now() > until) return found;
    const leaving = await Promise.all(found.map(({ pid }) => isLeaving(pid)));
    if (!leaving.includes(true)) return found;
  }
}

async function usersNow(mountPath: string): Promise<PathUser[]> {
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
