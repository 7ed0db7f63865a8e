/**
 * A small tree of plain files, whole in memory: what somebody else packed is judged before any of it is on disk. Links, devices,
 * absolute names and names that lead out of it refuse all of it. Formats: POSIX.1-2017 pax ("ustar Interchange Format"), RFC 1952.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { AppError } from '../errors';
import { syncDirectory } from './write-file';

/** Content by the path below the root of the tree, with `/`, in the order of the paths. */
export type FileTree = Map<string, Buffer>;

export const MOST_TREE_BYTES = 16 * 1024 ** 2;
const MOST_FILES = 500;
const NAME = /^[A-Za-z0-9_@][A-Za-z0-9._@+-]{0,99}$/;
const MOST_DEPTH = 10;

export const unsuitable = (message: string): AppError => new AppError('plugin_unsuitable', message);

function checkName(path: string): void {
  const parts = path.split('/');
  if (parts.length <= MOST_DEPTH && parts.every((part) => NAME.test(part))) return;
  throw unsuitable(`A file in it is called ${JSON.stringify(path.slice(0, 200))}, which no file may be.`);
}

function collector() {
  const tree: FileTree = new Map();
  let bytes = 0;
  return {
    add(path: string, content: Buffer): void {
      checkName(path);
      if (tree.has(path)) throw unsuitable(`It has two files called ${path}.`);
      bytes += content.length;
      tree.set(path, content);
      if (tree.size > MOST_FILES) throw unsuitable(`It has more than ${MOST_FILES} files.`);
      if (bytes > MOST_TREE_BYTES) throw unsuitable('It is larger than 16 MiB.');
    },
    whole: (): FileTree => new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

const isHidden = (path: string): boolean => path.split('/').some((part) => part.startsWith('.'));

/**
 * @param skipHidden what belongs to the author's checkout (.git, .gitignore) is left out instead of being refused
 * @throws AppError plugin_unsuitable; the error of the file system when there is no such folder
 */
export async function readTree(folder: string, { skipHidden = false } = {}): Promise<FileTree> {
  const tree = collector();
  async function walk(below: string, depth: number): Promise<void> {
    if (depth > MOST_DEPTH) throw unsuitable(`Its folders are deeper than ${MOST_DEPTH}.`);
    for (const name of (await readdir(join(folder, below))).toSorted()) {
      if (skipHidden && isHidden(name)) continue;
      const path = below === '' ? name : `${below}/${name}`;
      const found = await lstat(join(folder, path));
      if (found.isDirectory()) await walk(path, depth + 1);
      else if (!found.isFile()) throw unsuitable(`${path} is a link or a device.`);
      else if (found.size > MOST_TREE_BYTES) throw unsuitable('It is larger than 16 MiB.');
      else tree.add(path, await readFile(join(folder, path)));
    }
  }
  const root = await lstat(folder);
  if (!root.isDirectory()) throw unsuitable(`${folder} is no folder.`);
  await walk('', 0);
  return tree.whole();
}

/** One folder around everything, as archives of forges have it, does not count. */
function withoutCommonFolder(tree: FileTree, marker: string): FileTree {
  if (tree.has(marker)) return tree;
  const [first = ''] = tree.keys();
  const folder = first.slice(0, first.indexOf('/') + 1);
  if (folder === '' || ![...tree.keys()].every((path) => path.startsWith(folder))) return tree;
  return new Map([...tree].map(([path, content]) => [path.slice(folder.length), content]));
}

/**
 * @param bytes a tar archive, gzipped or not
 * @param marker a file that is in the root of the tree
 * @throws AppError plugin_unsuitable
 */
export async function treeOfArchive(bytes: Buffer, marker: string): Promise<FileTree> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip
    ? await promisify(gunzip)(bytes, { maxOutputLength: 2 * MOST_TREE_BYTES }).catch((cause: unknown) => {
        throw new AppError('plugin_unsuitable', 'The archive cannot be unpacked, or is larger than 32 MiB.', {
          cause,
        });
      })
    : bytes;
  const tree = collector();
  const archive = extract();
  try {
    for await (const entry of Readable.from([plain]).pipe(archive)) {
      const { type } = entry.header;
      const name = entry.header.name.replace(/^\.\//, '').replace(/\/$/, '');
      if (name === '' || name === '.' || (isHidden(name) && !name.split('/').includes('..'))) {
        entry.resume();
        continue;
      }
      if (type === 'directory') {
        checkName(name);
        entry.resume();
        continue;
      }
      if (type !== 'file')
        throw unsuitable(`${name.slice(0, 200)} in the archive is no plain file (${type}).`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      tree.add(name, Buffer.concat(chunks));
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('plugin_unsuitable', 'It is no tar archive, or a damaged one.', { cause });
  }
  return withoutCommonFolder(tree.whole(), marker);
}

/** SHA-256, hex, of all names and contents; times and modes do not count. */
export function treeDigest(tree: FileTree): string {
  const hash = createHash('sha256');
  for (const [path, content] of tree) hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

/** Complete or not there, also when the power goes in between. What was at `folder` is replaced. */
export async function writeTree(folder: string, tree: FileTree): Promise<void> {
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  const folders = new Set([part]);
  for (const [path, content] of tree) {
    const target = join(part, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    for (let at = dirname(target); at.length > part.length; at = dirname(at)) folders.add(at);
    const file = await open(target, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  for (const one of folders) await syncDirectory(one);
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
  await syncDirectory(dirname(folder));
}
