/**
 * Which drives hold the running system: whatever carries root, /boot, the EFI partition, /usr or swap, walked down
 * through partitions, device-mapper, md and btrfs to the drives.
 */
import { realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { nameOfNumber, slavesOf, wholeDevice, type Roots } from './sysfs';
import type { MountEntry } from './types';

const SYSTEM_PATHS = new Set(['/', '/boot', '/boot/efi', '/efi', '/usr', '/etc', '/var']);

/** Kernel name behind a path in /dev, through links; null when it is no device that is there. */
export function kernelNameOf(path: string): string | null {
  if (!path.startsWith('/dev/')) return null;
  try {
    return basename(realpathSync.native(path));
  } catch {
    return null; // the node is gone
  }
}

/** Kernel names of all devices that a mounted filesystem lies on. */
export function devicesOfMount(
  mount: Pick<MountEntry, 'majorMinor' | 'source' | 'filesystem'>,
  btrfs: Map<string, string[]>,
  roots?: Roots,
): string[] {
  const name = nameOfNumber(mount.majorMinor, roots) ?? kernelNameOf(mount.source);
  if (!name) return [];
  if (mount.filesystem !== 'btrfs') return [name];
  return [...btrfs.values()].find((members) => members.includes(name)) ?? [name];
}

/** Swap files count as the filesystem that they lie on. */
function deviceOfSwap(path: string, roots?: Roots): string[] {
  const name = kernelNameOf(path);
  if (name) return [name];
  try {
    const { dev } = statSync(path);
    // gnu_dev_major and gnu_dev_minor of glibc's sys/sysmacros.h, for numbers below 2^32
    const found = nameOfNumber(`${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`, roots);
    return found ? [found] : [];
  } catch {
    return []; // a swap file that was deleted since: the kernel still uses it, its place cannot be known
  }
}

/** Kernel names of the whole drives under some devices. */
export function drivesUnder(names: string[], roots?: Roots): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const walk = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const below = slavesOf(name, roots);
    if (below.length > 0) below.forEach(walk);
    else found.add(wholeDevice(name, roots));
  };
  names.forEach(walk);
  return found;
}

/** @returns kernel names of whole drives */
export function systemDrives(
  mounts: MountEntry[],
  swaps: string[],
  btrfs: Map<string, string[]>,
  roots?: Roots,
): Set<string> {
  const devices = mounts
    .filter((mount) => SYSTEM_PATHS.has(mount.path))
    .flatMap((mount) => devicesOfMount(mount, btrfs, roots));
  return drivesUnder([...devices, ...swaps.flatMap((path) => deviceOfSwap(path, roots))], roots);
}
