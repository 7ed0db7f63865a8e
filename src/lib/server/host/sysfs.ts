/**
 * Drives as the kernel lists them, by plain reads of sysfs and of the udev database when there is one: nothing is
 * started, no medium is touched, a sleeping drive stays asleep. About 0.2 ms a drive.
 * Sources: Documentation/ABI/stable/sysfs-block, testing/sysfs-block (loop), udev's database files in /run/udev/data.
 */
import { naturally } from '$lib/shared/natural-order';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Bus } from '$lib/shared/wire/drives';
import { partitionPath } from './actions';
import { listFolder, unlessGone } from './vanishing';

/** Where to read; tests read trees of their own. */
export interface Roots {
  sys: string;
  udev: string;
}
export const SYSTEM_ROOTS: Roots = { sys: '/sys', udev: '/run/udev' };

export interface KernelPartition {
  number: number;
  kernelName: string;
  path: string;
  majorMinor: string;
  startBytes: number;
  sizeBytes: number;
  holders: string[];
}
export interface KernelDrive {
  kernelName: string;
  path: string;
  majorMinor: string;
  /** Rises with every new medium or backing file under this name; null before Linux 5.15. */
  sequence: string | null;
  byId: string | null;
  /** Where it is plugged in: udev's ID_PATH, else the device's place in sysfs. */
  place: string;
  model: string | null;
  vendor: string | null;
  serial: string | null;
  wwn: string | null;
  bus: Bus;
  sizeBytes: number;
  rotational: boolean | null;
  logicalSectorBytes: number;
  physicalSectorBytes: number;
  readOnly: boolean;
  removable: boolean;
  backingFile: string | null;
  /** A loop device that ends with its last user: detached, or mounted with `-o loop`. */
  leaving: boolean;
  holders: string[];
  partitions: KernelPartition[];
}

/** Built by software on top of other devices, in memory, or optical: never a drive to make a pool of. */
const NO_DRIVE = /^(ram|zram|dm-|md|sr|fd|zd|nbd|rbd|drbd|mtdblock|ubiblock)/;
const SECTOR_BYTES = 512;

const targetOf = (path: string): string | null =>
  existsSync(path) ? unlessGone(() => realpathSync.native(path)) : null;

/** Null for an attribute that is missing or that the driver refuses to read. */
function read(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null; // gone since, or EIO/EINVAL from a driver that does not have the value
  }
}
const integer = (path: string): number => Number(read(path) ?? 0);

/** Unit serial number page of SCSI: 4 bytes of head, then the text. */
function vpdSerial(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const page = readFileSync(path);
    const text = page.subarray(4, 4 + page.readUInt16BE(2)).toString('latin1');
    return text.replaceAll('\0', '').trim() || null;
  } catch {
    return null; // the drive does not answer for this page
  }
}

/** `naa.5000c500a1b2c3d4`, `eui.0025385b71b0c5d1`, `0x5000c500a1b2c3d4` become the bare digits; made-up names do not count. */
export function normalWwn(text: string | null): string | null {
  const match = /^(?:naa\.|eui\.|0x|uuid\.)([0-9a-f-]{16,})$/i.exec(text ?? '');
  const digits = match?.[1]?.toLowerCase() ?? null;
  return digits && !/^[0-]+$/.test(digits) ? digits : null;
}

type Properties = Map<string, string>;
interface UdevEntry {
  properties: Properties;
  links: string[];
}
function readUdev(roots: Roots, majorMinor: string): UdevEntry {
  const entry: UdevEntry = { properties: new Map(), links: [] };
  for (const line of (read(join(roots.udev, 'data', `b${majorMinor}`)) ?? '').split('\n')) {
    if (line.startsWith('S:')) entry.links.push(line.slice(2));
    const equals = line.indexOf('=');
    if (line.startsWith('E:') && equals > 0)
      entry.properties.set(line.slice(2, equals), line.slice(equals + 1));
  }
  return entry;
}

/** The link with model and serial says most to people; a WWN link is better than none. */
function byIdOf(links: string[]): string | null {
  const ids = links.filter((link) => link.startsWith('disk/by-id/')).sort();
  const id = ids.find((link) => !/by-id\/(wwn-|nvme-eui\.|scsi-[0-9]|lvm-|dm-)/.test(link)) ?? ids[0];
  return id ? `/dev/${id}` : null;
}

function busOf(kernelName: string, devicePath: string): Bus {
  if (kernelName.startsWith('loop')) return 'loop';
  if (kernelName.startsWith('nvme')) return 'nvme';
  if (kernelName.startsWith('mmcblk')) return 'mmc';
  if (devicePath.includes('/usb')) return 'usb';
  if (/\/ata\d+\//.test(devicePath)) return 'sata';
  if (devicePath.includes('/end_device-')) return 'sas';
  if (kernelName.startsWith('vd')) return 'virtio';
  return devicePath.includes('/host') ? 'scsi' : 'unknown';
}

/** The serial of the USB device itself: many USB bridges answer no SCSI page. */
function usbSerial(devicePath: string): string | null {
  for (let path = devicePath; path.includes('/usb'); path = dirname(path))
    if (existsSync(join(path, 'idVendor'))) return read(join(path, 'serial'));
  return null;
}

function readPartitions(
  block: string,
  drivePath: string,
  entries: string[],
  kernelName: string,
): KernelPartition[] {
  return entries
    .filter((entry) => entry.startsWith(kernelName) && existsSync(join(block, entry, 'partition')))
    .map((entry) => {
      const number = integer(join(block, entry, 'partition'));
      return {
        number,
        kernelName: entry,
        path: partitionPath(drivePath, number),
        majorMinor: read(join(block, entry, 'dev')) ?? '',
        startBytes: integer(join(block, entry, 'start')) * SECTOR_BYTES,
        sizeBytes: integer(join(block, entry, 'size')) * SECTOR_BYTES,
        holders: listFolder(join(block, entry, 'holders')),
      };
    })
    .sort((a, b) => a.number - b.number);
}

/** What stays the same for as long as the kernel's sequence number of the device does. */
interface Fixed {
  devicePath: string;
  place: string;
  bus: Bus;
  serial: string | null;
  wwn: string | null;
  model: string | null;
  vendor: string | null;
  backingFile: string | null;
  rotational: boolean | null;
  logicalSectorBytes: number;
  physicalSectorBytes: number;
  removable: boolean;
}

function readFixed(block: string, kernelName: string): Fixed {
  const device = join(block, 'device');
  const isLoop = kernelName.startsWith('loop');
  const devicePath = realpathSync.native(existsSync(device) ? device : block);
  const bus = busOf(kernelName, devicePath);
  const vendor = read(join(device, 'vendor'));
  return {
    devicePath,
    place: existsSync(device) ? basename(devicePath) : kernelName,
    bus,
    serial: isLoop
      ? null
      : (vpdSerial(join(device, 'vpd_pg80')) ??
        read(join(block, 'serial')) ??
        read(join(device, 'serial')) ??
        usbSerial(devicePath)),
    wwn: normalWwn(read(join(block, 'wwid')) ?? read(join(device, 'wwid'))),
    model: read(join(device, 'model')) ?? read(join(device, 'name')),
    vendor: !vendor || vendor === 'ATA' || vendor.startsWith('0x') ? null : vendor,
    backingFile: isLoop ? read(join(block, 'loop/backing_file')) : null,
    // What a virtual disk says of its platters means nothing.
    rotational: isLoop || bus === 'virtio' ? null : read(join(block, 'queue/rotational')) === '1',
    logicalSectorBytes: integer(join(block, 'queue/logical_block_size')) || SECTOR_BYTES,
    physicalSectorBytes: integer(join(block, 'queue/physical_block_size')) || SECTOR_BYTES,
    removable: read(join(block, 'removable')) === '1',
  };
}

const fixedBySequence = new Map<string, Fixed>();
/** Read once for each medium; kernels before 5.15 give no sequence number, then every time. */
function fixedOf(roots: Roots, block: string, kernelName: string, sequence: string | null): Fixed {
  if (sequence === null || roots !== SYSTEM_ROOTS) return readFixed(block, kernelName);
  const key = `${kernelName} ${sequence}`;
  const known = fixedBySequence.get(key);
  if (known) return known;
  const fixed = readFixed(block, kernelName);
  for (const old of fixedBySequence.keys()) if (old.startsWith(`${kernelName} `)) fixedBySequence.delete(old);
  fixedBySequence.set(key, fixed);
  return fixed;
}

/** Null when it is no drive, has no medium, or udev has not looked at it yet and the kernel alone cannot identify it. */
function readDrive(roots: Roots, kernelName: string): KernelDrive | null {
  const block = join(roots.sys, 'block', kernelName);
  const sizeBytes = integer(join(block, 'size')) * SECTOR_BYTES;
  if (NO_DRIVE.test(kernelName) || sizeBytes === 0) return null;
  const majorMinor = read(join(block, 'dev'));
  if (!majorMinor || read(join(block, 'hidden')) === '1') return null;
  const sequence = read(join(block, 'diskseq'));
  const { devicePath, ...fixed } = fixedOf(roots, block, kernelName, sequence);
  if (fixed.bus === 'loop' && !fixed.backingFile) return null;

  const udev = readUdev(roots, majorMinor);
  const property = (name: string): string | null => udev.properties.get(name) ?? null;
  // With udev at work its answer comes some milliseconds after the kernel's; an identity must not change in between.
  const isNameless = fixed.bus !== 'loop' && !fixed.serial && !fixed.wwn;
  if (isNameless && udev.properties.size === 0 && existsSync(join(roots.udev, 'control'))) return null;

  const entries = listFolder(block);
  const path = `/dev/${kernelName.replaceAll('!', '/')}`;
  return {
    ...fixed,
    kernelName,
    path,
    majorMinor,
    sequence,
    sizeBytes,
    byId: byIdOf(udev.links),
    place: property('ID_PATH') ?? fixed.place,
    model: fixed.model ?? property('ID_MODEL')?.replaceAll('_', ' ') ?? null,
    serial: fixed.serial ?? property('ID_SERIAL_SHORT'),
    wwn: fixed.wwn ?? normalWwn(property('ID_WWN_WITH_EXTENSION') ?? property('ID_WWN')),
    bus: property('ID_BUS') === 'ata' && !devicePath.includes('/usb') ? 'sata' : fixed.bus,
    readOnly: read(join(block, 'ro')) === '1',
    leaving: fixed.bus === 'loop' && read(join(block, 'loop/autoclear')) === '1',
    holders: entries.includes('holders') ? listFolder(join(block, 'holders')) : [],
    partitions: readPartitions(block, path, entries, kernelName),
  };
}

/** Every drive with a medium, by kernel name. */
export function readDrives(roots: Roots = SYSTEM_ROOTS): KernelDrive[] {
  return readdirSync(join(roots.sys, 'block'))
    .map((name) => unlessGone(() => readDrive(roots, name)))
    .filter((drive) => drive !== null)
    .sort((a, b) => naturally(a.kernelName, b.kernelName));
}

/** Devices of the mounted btrfs filesystems by UUID: the mount table names only one of them. Kernel names. */
export function readBtrfsMembers(roots: Roots = SYSTEM_ROOTS): Map<string, string[]> {
  const folder = join(roots.sys, 'fs/btrfs');
  const members = new Map<string, string[]>();
  for (const uuid of listFolder(folder).filter((name) => /^[0-9a-f]{8}-/.test(name)))
    members.set(uuid, listFolder(join(folder, uuid, 'devices')));
  return members;
}

/** Mounted under a UUID of the moment, not its own (Linux 6.7: temp_fsid): another btrfs of its UUID is known to the kernel. */
export const hasMomentaryUuid = (uuid: string, roots: Roots = SYSTEM_ROOTS): boolean =>
  integer(join(roots.sys, 'fs/btrfs', uuid, 'temp_fsid')) === 1;

/** `sda1` → `sda`, `nvme0n1p2` → `nvme0n1`; a name that is no partition stays. */
export function wholeDevice(kernelName: string, roots: Roots = SYSTEM_ROOTS): string {
  const entry = join(roots.sys, 'class/block', kernelName);
  const target = existsSync(join(entry, 'partition')) ? targetOf(entry) : null;
  return target === null ? kernelName : basename(dirname(target));
}
/** What a device is built on, one level down (md, device-mapper). */
export const slavesOf = (kernelName: string, roots: Roots = SYSTEM_ROOTS): string[] =>
  listFolder(join(roots.sys, 'class/block', kernelName, 'slaves'));

/** Kernel name behind a device number such as 254:0; null for those of no device (btrfs, tmpfs). */
export function nameOfNumber(majorMinor: string, roots: Roots = SYSTEM_ROOTS): string | null {
  const target = targetOf(join(roots.sys, 'dev/block', majorMinor));
  return target === null ? null : basename(target);
}
