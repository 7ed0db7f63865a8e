/**
 * Block devices that are made of others: md arrays and device-mapper devices. Read from sysfs and, where the kernel does
 * not tell an array's UUID, from the superblock of a member; udev's links are not needed.
 * Source: kernel Documentation/admin-guide/md.rst; md_p.h (struct mdp_superblock_1).
 */
import { closeSync, existsSync, openSync, readFileSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

export interface VirtualDevice {
  kind: 'array' | 'mapped';
  kernelName: string;
  path: string;
  /** Array: UUID of its superblock, 8-4-4-4-12; device mapper: its name. null: the kernel has none for it yet. */
  key: string | null;
}

const MAGIC = 0xa92b4efc;
const UUID_OFFSET = 16;
/** Where the superblock lies, by metadata version; 1.0 lies at the end and is found by its distance from there. */
const SUPERBLOCK_AT: Record<string, number> = { '1.1': 0, '1.2': 4096 };

function textAt(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Gone between the listing and the reading, or an attribute that this kernel does not have.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EINVAL' || code === 'EIO') return null;
    throw error;
  }
}

const dashed = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** mdadm writes `a:b:c:d`, the kernel 8-4-4-4-12: one spelling for both. null: no UUID. */
export function arrayUuid(text: string): string | null {
  const hex = text.toLowerCase().replaceAll(/[^0-9a-f]/g, '');
  return hex.length === 32 && !/^0+$/.test(hex) ? dashed(hex) : null;
}

/** The last 8 KiB, down to a multiple of 4 KiB (super1.c of the kernel's md). */
const endSuperblock = (sectors: number): number => Math.floor((sectors - 16) / 8) * 8 * 512;

function uuidOfMember(path: string, offset: number): string | null {
  const bytes = Buffer.alloc(64);
  try {
    const node = openSync(path, 'r');
    try {
      if (readSync(node, bytes, 0, bytes.length, offset) < bytes.length) return null;
    } finally {
      closeSync(node);
    }
  } catch (error) {
    // A member that fails or is gone: another one of the array is asked.
    if (['ENOENT', 'ENXIO', 'EIO', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null;
    throw error;
  }
  return bytes.readUInt32LE(0) === MAGIC
    ? arrayUuid(bytes.subarray(UUID_OFFSET, UUID_OFFSET + 16).toString('hex'))
    : null;
}

function uuidOfArray(folder: string): string | null {
  // Zeros while an array is collected and not started; older kernels do not tell at all.
  const told = arrayUuid(textAt(join(folder, 'md/uuid')) ?? '');
  if (told) return told;
  const version = textAt(join(folder, 'md/metadata_version')) ?? '';
  for (const member of readdirSync(join(folder, 'slaves'))) {
    const sectors = Number(textAt(`/sys/class/block/${member}/size`) ?? 0);
    const offset = SUPERBLOCK_AT[version] ?? endSuperblock(sectors);
    const uuid = sectors > 0 && offset >= 0 ? uuidOfMember(`/dev/${member}`, offset) : null;
    if (uuid) return uuid;
  }
  return null;
}

/** @param sysRoot for tests */
export function readVirtualDevices(sysRoot = '/sys'): VirtualDevice[] {
  const folder = join(sysRoot, 'block');
  return readdirSync(folder).flatMap((kernelName): VirtualDevice[] => {
    const at = join(folder, kernelName);
    const path = `/dev/${kernelName}`;
    if (existsSync(join(at, 'md'))) return [{ kind: 'array', kernelName, path, key: uuidOfArray(at) }];
    if (existsSync(join(at, 'dm')))
      return [{ kind: 'mapped', kernelName, path, key: textAt(join(at, 'dm/name')) }];
    return [];
  });
}
