/**
 * What a qcow2 disk lies above, all the way down. QEMU opens whatever the header names, as root where that is its user: a disk
 * from somebody else's pool could name /etc/shadow, or a drive. Source: qemu.git docs/interop/qcow2.txt.
 */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { isBelow } from '$lib/shared/names';
import { readBackingName } from './image-header';

const MOST_FILES = 20;
const HEADER_BYTES = 104;
const QCOW2_MAGIC = 0x514649fb;
/** Bit 2 of the incompatible features: what it holds lies in another file. */
const DATA_FILE_BIT = 4n;

async function look(path: string): Promise<{ isFile: boolean; hasDataFile: boolean }> {
  // Not blocking: a pipe that somebody has laid there would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return { isFile: false, hasDataFile: false };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const hasFeatures =
      bytesRead >= 80 && buffer.readUInt32BE(0) === QCOW2_MAGIC && buffer.readUInt32BE(4) >= 3;
    return { isFile: true, hasDataFile: hasFeatures && (buffer.readBigUInt64BE(72) & DATA_FILE_BIT) !== 0n };
  } finally {
    await file.close();
  }
}

async function realOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    // Whatever the reason: what cannot be followed is nothing that a machine may lie above.
    return null;
  }
}

/**
 * @param roots absolute; of the pools: an image may lie on another one than the disk above it
 * @returns what it reaches for outside of them, or why it cannot be followed; null: all of it lies on the pools
 */
export async function reachesOutside(path: string, roots: readonly string[]): Promise<string | null> {
  const found = await Promise.all(roots.map(realOf));
  const bases = found.filter((base) => base !== null);
  let next: string | null = path;
  for (let count = 0; next !== null; count += 1) {
    if (count === MOST_FILES) return 'It lies above more files than any machine has.';
    if (!isAbsolute(next)) return `It lies above "${next}", which is no absolute path.`;
    const real: string | null = await realOf(next);
    if (real === null) return `It lies above ${next}, which is not there.`;
    if (!bases.some((base) => isBelow(real, base))) return `It reaches for ${real}, which lies on no pool.`;
    const { isFile, hasDataFile } = await look(real);
    if (!isFile) return `${real} is no file.`;
    if (hasDataFile) return `${real} keeps what it holds in another file.`;
    try {
      next = await readBackingName(real);
    } catch {
      return `What ${real} lies above cannot be told.`;
    }
  }
  return null;
}
