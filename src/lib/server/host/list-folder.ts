/**
 * What is in the root of a filesystem that somebody else made, for a person who decides what to do with it. Nothing in it
 * is trusted: no link is followed, no pipe is waited for, and nothing large is read.
 */
import { constants } from 'node:fs';
import { lstat, open, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { IDENTITY_FILE, IDENTITY_FOLDER } from '$lib/plugin-api/identity-file';
import type { FolderEntry, FolderListing } from '$lib/shared/wire/found';
import { readCopiesBelow } from './configuration-files';
import { unlessMissing, writeFile } from './write-file';

const SHOWN = 200;
const READ_AT_MOST = 5_000;
const IDENTITY_MAX_BYTES = 64 * 1024;
/** Of the copies of a configuration: the newest, and none that would fill the disk they are noted on. */
const COPIES = 4;
const COPY_MAX_BYTES = 4 * 1024 ** 2;

async function entryOf(folder: string, name: string): Promise<FolderEntry> {
  const found = await lstat(join(folder, name));
  const kind = found.isDirectory()
    ? 'folder'
    : found.isFile()
      ? 'file'
      : found.isSymbolicLink()
        ? 'link'
        : 'other';
  return {
    name,
    kind,
    sizeBytes: kind === 'file' ? found.size : null,
    modifiedAt: Math.floor(found.mtimeMs),
  };
}

async function namesIn(folder: string): Promise<{ names: string[]; more: boolean }> {
  const names: string[] = [];
  for await (const entry of await opendir(folder)) {
    if (names.length === READ_AT_MOST) return { names, more: true };
    names.push(entry.name);
  }
  names.sort((a, b) => a.localeCompare(b));
  return { names: names.slice(0, SHOWN), more: names.length > SHOWN };
}

/** @returns null when there is none, or something else in its place */
async function identityIn(folder: string): Promise<string | null> {
  const path = join(folder, IDENTITY_FOLDER, IDENTITY_FILE);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      // ELOOP: it is a link; ENOTDIR: its folder is none.
      if (error.code !== 'ELOOP' && error.code !== 'ENOTDIR') unlessMissing(error);
      return null;
    },
  );
  if (!file) return null;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= IDENTITY_MAX_BYTES ? await file.readFile('utf8') : null;
  } finally {
    await file.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  return found?.isDirectory() ?? false;
}

export async function readListing(folder: string): Promise<FolderListing> {
  const { names, more } = await namesIn(folder);
  const { blocks, bfree, bsize } = await statfs(folder);
  const identityFolder = await isFolder(join(folder, IDENTITY_FOLDER));
  return {
    readAt: Date.now(),
    entries: await Promise.all(names.map((name) => entryOf(folder, name))),
    more,
    sizeBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    identityFolder,
    identity: identityFolder ? await identityIn(folder) : null,
    copies: identityFolder ? (await readCopiesBelow(folder, COPY_MAX_BYTES)).slice(0, COPIES) : [],
  };
}

/** Writes it down as JSON, readable for root only: names of files are nobody else's business. */
export async function listFolder(folder: string, into: string): Promise<void> {
  await writeFile(into, JSON.stringify(await readListing(folder)), 0o600);
}
