/** Checksums of whole files, each computed once as long as the file stays the same. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Checksum } from '$lib/plugin-api/plan';

const MOST_KEPT = 200;
/** By algorithm and identity of the file: device, inode, size, time of the last change of the content; a new name is no change. */
const known = new Map<string, string>();

async function identityOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await lstat(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join(':');
}

/** @returns hexadecimal, lower case. @throws Error of the file system or of the abort */
export async function fileDigest(
  path: string,
  algorithm: Checksum['algorithm'],
  signal?: AbortSignal,
): Promise<string> {
  const before = `${algorithm} ${await identityOf(path)}`;
  const seen = known.get(before);
  if (seen !== undefined) return seen;
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1024 ** 2 }), hash, signal ? { signal } : {});
  const digest = hash.digest('hex');
  if (`${algorithm} ${await identityOf(path)}` === before) {
    known.set(before, digest);
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KEPT) break;
      known.delete(oldest);
    }
  }
  return digest;
}
