/**
 * What a qcow2 disk lies above, all the way down. QEMU opens whatever the header names, as root where that is its user: a disk
 * from somebody else's pool could name /etc/shadow, or a drive. Source: qemu.git docs/interop/qcow2.txt.
 */
import { realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { isBelow } from '$lib/shared/names';
import { readNeeds, type DiskNeeds } from './image-header';

const MOST_FILES = 20;

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
    let needs: DiskNeeds;
    try {
      needs = await readNeeds(real);
    } catch {
      return `What ${real} lies above cannot be told.`;
    }
    if (!needs.isFile) return `${real} is no file.`;
    if (needs.hasDataFile) return `${real} keeps what it holds in another file.`;
    next = needs.backing;
  }
  return null;
}
