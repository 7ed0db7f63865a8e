/**
 * A release becomes a folder, whole or not at all. Its archive has been compared with what was signed; all the same nothing in it may
 * lead out of that folder: plain files, folders, and links that lead to something within. Each file is compared with the release's own
 * list of checksums, which has to name them all. Formats: RFC 1952, POSIX.1-2017 pax ("ustar Interchange Format").
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { z } from 'zod';
import type { LookResult, ReleaseAction } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { ownProcess } from './own-process';
import { syncDirectory, unlessMissing } from './write-file';

type Unpack = Extract<ReleaseAction, { do: 'unpack-release' }>;

const MOST_ENTRIES = 60_000;
const MOST_BYTES = 3 * 1024 ** 3;
const LONGEST_PATH = 1_000;
const SUMS = 'SHA256SUMS';
/** Within the folder: the checksum of the archive that it was made from. */
const MARKER = '.archive-sha256';
const PART = /^(?!\.{1,2}$)[\x20-\x7e]{1,200}$/;
/** Upwards first, then down: so that what it leads to follows from the names alone. */
const LINK = /^(?:\.\.\/)*(?:[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*\/)*[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$/;

interface Entry extends AsyncIterable<unknown> {
  header: Header;
  resume(): unknown;
}

const unsuitable = (message: string, cause?: unknown): AppError =>
  new AppError('update_archive_unsuitable', message, cause === undefined ? {} : { cause });
const shown = (name: string): string => JSON.stringify(name.slice(0, 200));

const besideOf = (path: string, word: string): string => join(dirname(path), `.${word}-${basename(path)}`);

/** Below the release's one folder; '' is that folder itself. @throws AppError update_archive_unsuitable */
function pathWithin(name: string, top: string): string {
  const parts = name.replace(/\/$/, '').split('/');
  if (name.length > LONGEST_PATH || !parts.every((part) => PART.test(part) && !part.includes('\\')))
    throw unsuitable(`A file in it is called ${shown(name)}, which no file may be.`);
  if (parts[0] !== top) throw unsuitable(`${shown(name)} in it is not below ${top}.`);
  return parts.slice(1).join('/');
}

/** @throws AppError update_archive_unsuitable for a link that leads out of the folder, or may */
function checkLink(path: string, target: string): void {
  const ups = target.split('/').filter((part) => part === '..').length;
  if (!LINK.test(target) || ups > path.split('/').length - 1)
    throw unsuitable(`The link ${shown(path)} in it leads to ${shown(target)}, outside of it.`);
}

class Unfinished {
  /** SHA-256 of what was written, by path. */
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  private readonly folders = new Set<string>(['']);
  private bytes = 0;
  private entries = 0;
  private readonly root: string;
  constructor(root: string) {
    this.root = root;
  }

  private async folder(path: string): Promise<void> {
    if (this.folders.has(path)) return;
    const above = dirname(path);
    await this.folder(above === '.' ? '' : above);
    await mkdir(join(this.root, path), { mode: 0o755 });
    this.folders.add(path);
  }
  async take(entry: Entry, top: string): Promise<void> {
    const { header } = entry;
    const path = pathWithin(header.name, top);
    this.entries += 1;
    this.bytes += header.size ?? 0;
    if (this.entries > MOST_ENTRIES) throw unsuitable(`It has more than ${MOST_ENTRIES} files.`);
    if (this.bytes > MOST_BYTES) throw unsuitable(`It is larger than ${MOST_BYTES} bytes.`);
    if (header.type === 'directory') {
      entry.resume();
      return this.folder(path);
    }
    if (path === '' || this.files.has(path) || this.links.has(path) || this.folders.has(path))
      throw unsuitable(`${shown(header.name)} is in it twice.`);
    await this.folder(dirname(path) === '.' ? '' : dirname(path));
    if (header.type === 'symlink') {
      checkLink(path, header.linkname ?? '');
      this.links.set(path, header.linkname ?? '');
      entry.resume();
      return;
    }
    if (header.type !== 'file')
      throw unsuitable(`${shown(header.name)} in it is no plain file (${header.type ?? 'unknown'}).`);
    this.files.set(path, await this.write(path, entry, (header.mode ?? 0) & 0o111 ? 0o755 : 0o644));
  }
  private async write(path: string, entry: Entry, mode: number): Promise<string> {
    const hash = createHash('sha256');
    const file = await open(join(this.root, path), 'wx', mode);
    try {
      for await (const chunk of entry) {
        hash.update(chunk as Buffer);
        await file.write(chunk as Buffer);
      }
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    return hash.digest('hex');
  }
  /** Links come last: nothing was written through one. */
  async finish(sha256: string): Promise<void> {
    for (const [path, target] of this.links) {
      if (this.folders.has(path) || this.files.has(path)) throw unsuitable(`${shown(path)} is in it twice.`);
      await symlink(target, join(this.root, path));
    }
    await this.compare();
    const marker = await open(join(this.root, MARKER), 'wx', 0o644);
    try {
      await marker.writeFile(sha256);
      await marker.sync();
    } finally {
      await marker.close();
    }
    for (const folder of this.folders) await syncDirectory(join(this.root, folder));
  }
  private async compare(): Promise<void> {
    const sums = this.files.has(SUMS) ? await readFile(join(this.root, SUMS), 'utf8') : '';
    const listed = new Map(
      sums
        .split('\n')
        .filter(Boolean)
        .map((line) => [line.slice(66), line.slice(0, 64)]),
    );
    const strange = [...this.files].find(([path, sum]) => path !== SUMS && listed.get(path) !== sum)?.[0];
    const missing = [...listed.keys()].find((path) => !this.files.has(path));
    if (listed.size === 0) throw unsuitable('It is no release: it has no list of checksums.');
    if (strange !== undefined) throw unsuitable(`${shown(strange)} in it is not what was released.`);
    if (missing !== undefined) throw unsuitable(`${shown(missing)} is missing in it.`);
  }
}

/** Entries of the archive in their order; the whole of it has been read when they end. @returns its SHA-256 */
async function unpackInto(into: Unfinished, { archive, top }: Unpack, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(archive, { highWaterMark: 1024 ** 2, signal });
  const gunzip = createGunzip();
  const tar = extract();
  source.on('data', (chunk) => hash.update(chunk));
  const read = new Promise<void>((resolve, reject) => source.on('close', resolve).on('error', reject));
  source.on('error', (error) => gunzip.destroy(error));
  gunzip.on('error', (error) => tar.destroy(error));
  source.pipe(gunzip).pipe(tar);
  try {
    for await (const entry of tar) await into.take(entry, top);
    await read;
  } catch (cause) {
    read.catch((error: unknown) => error);
    signal.throwIfAborted();
    if (cause instanceof AppError || (cause instanceof Error && 'syscall' in cause)) throw cause;
    throw unsuitable('It is no archive of a release, or a damaged one.', cause);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
  return hash.digest('hex');
}

/** @throws AppError update_archive_unsuitable; the error of the file system or of the abort */
export async function unpackRelease(action: Unpack, signal: AbortSignal): Promise<void> {
  const { path, sha256 } = action;
  const unfinished = besideOf(path, 'new');
  await removeRelease(path);
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  const into = new Unfinished(unfinished);
  if ((await unpackInto(into, action, signal)) !== sha256)
    throw unsuitable('The archive is not what was signed any more.');
  await into.finish(sha256);
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

/** What `current` beside the folder of versions leads to. */
async function isInUse(path: string): Promise<boolean> {
  if (ownProcess.folder() === path) return true;
  const target = await readlink(join(dirname(dirname(path)), 'current')).catch(
    (error: NodeJS.ErrnoException) => {
      unlessMissing(error);
      return null;
    },
  );
  return target === `${basename(dirname(path))}/${basename(path)}`;
}

/** It loses its name first, so that half a version never has one. @throws AppError foreign_state for the one in use */
export async function removeRelease(path: string): Promise<void> {
  if (await isInUse(path))
    throw new AppError(
      'foreign_state',
      `${path} is the version that runs or is to run; it was left as it is.`,
    );
  const gone = besideOf(path, 'gone');
  await rm(gone, { recursive: true, force: true });
  await rename(path, gone).catch(unlessMissing);
  await syncDirectory(dirname(path));
  for (const left of [gone, besideOf(path, 'new')]) await rm(left, { recursive: true, force: true });
}

const releaseArguments = z.object({ path: z.string(), sha256: z.string() });

/** It has its name only when it is whole. */
export async function lookAtRelease(args: JsonObject): Promise<LookResult> {
  const { path, sha256 } = releaseArguments.parse(args);
  const there = async (at: string): Promise<boolean> =>
    lstat(at).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        unlessMissing(error);
        return false;
      },
    );
  if (!(await there(path)))
    return (await there(besideOf(path, 'new')))
      ? { status: 'partial', evidence: `A piece of the version is in ${dirname(path)}.` }
      : { status: 'absent', evidence: `There is no folder ${path}.` };
  const marker = await readFile(join(path, MARKER), 'utf8').catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  return marker === sha256
    ? { status: 'done', evidence: `The version is in ${path}, whole.` }
    : { status: 'partial', evidence: `${path} holds another release of that version.` };
}
