/**
 * What is expensive to make is made once: folders below `.cache`, named after a hash of everything they are made from.
 * A folder is complete or not there; two processes that want the same one wait for each other.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const labFolder = fileURLToPath(new URL('.', import.meta.url));
export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const cacheFolder = join(labFolder, '.cache');
/** Of every kind the ones used last stay: another checkout state, or a guest that runs, may still need them. */
const KEPT = 2;

export interface Input {
  name: string;
  content: string | Buffer;
}

/** Files below a folder of the checkout (or one file), sorted, for a hash. */
export async function inputsBelow(path: string): Promise<Input[]> {
  const full = join(checkout, path);
  if (!(await stat(full)).isDirectory()) return [{ name: path, content: await readFile(full) }];
  const entries = await readdir(full, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    files.map(async (file) => ({ name: file.slice(checkout.length), content: await readFile(file) })),
  );
}

function hashOf(inputs: Input[]): string {
  const hash = createHash('sha256');
  for (const { name, content } of inputs)
    hash.update(`${name}\0${Buffer.byteLength(content)}\0`).update(content);
  return hash.digest('hex').slice(0, 16);
}

/** A process as no later one can be: pid and start time (field 22 of proc_pid_stat(5)). */
function identity(pid: number): string | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  const fields = readFileSync(path, 'utf8').split(') ')[1]?.split(' ');
  return `${pid} ${fields?.[19]}`;
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(identity(process.pid) ?? '');
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  // Empty for the moment between open and write; null when it was let go meanwhile.
  if (holder && identity(Number(holder.split(' ')[0])) !== holder) await rm(path, { force: true });
  return false;
}

async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheFolder, { recursive: true });
  const path = join(cacheFolder, `${name}.lock`);
  while (!(await tryLock(path))) await sleep(200);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function removeOld(kind: string): Promise<void> {
  const names = (await readdir(cacheFolder)).filter((name) =>
    new RegExp(`^${kind}-[0-9a-f]{16}$`).test(name),
  );
  const dated = await Promise.all(
    names.map(async (name) => ({ name, usedMs: (await stat(join(cacheFolder, name))).mtimeMs })),
  );
  for (const { name } of dated.sort((a, b) => b.usedMs - a.usedMs).slice(KEPT))
    await rm(join(cacheFolder, name), { recursive: true, force: true });
}

export const cacheName = (kind: string, inputs: Input[]): string => `${kind}-${hashOf(inputs)}`;

/**
 * The folder `<kind>-<hash of the inputs>`, made first if it is not there.
 * @param make fills the folder it is given, which gets its name only after it has succeeded
 */
export async function cachedFolder(
  kind: string,
  inputs: Input[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder, cacheName(kind, inputs));
  const exists = () => existsSync(folder);
  if (!exists())
    await locked(kind, async () => {
      if (exists()) return;
      const unfinished = join(cacheFolder, `${kind}.unfinished`);
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { recursive: true });
      await make(unfinished);
      await rename(unfinished, folder);
      await removeOld(kind);
    });
  await utimes(folder, new Date(), new Date());
  return folder;
}
