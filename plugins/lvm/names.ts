/** What a pool is called inside of LVM, and back. Pure. Sources: lvm(8) "VALID NAMES", libdm's dm_build_dm_name. */
import type { MappedRef } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';

export const ID = 'lvm';
export const LAYOUTS = ['linear', 'mirror', 'raid5', 'thin'] as const;
export type LayoutId = (typeof LAYOUTS)[number];
export type FilesystemType = 'ext4' | 'xfs';

/** The thin pool below a thin volume. */
const POOL = 'pool';
const DATA = 'data';
export const GUID_TAG = 'cairn.guid=';
export const LAYOUT_TAG = 'cairn.layout=';
export const FILESYSTEM_TAG = 'cairn.filesystem=';

/** All that commands and looks need to name a pool. */
export interface Names {
  /** Volume group. */
  group: string;
  /** The volume with the filesystem. */
  volume: string;
  /** The thin pool below it; null for other layouts. */
  thinPool: string | null;
  /** UUID of a group that Cairn did not make; ours is told by the pool's GUID in its tags. */
  groupUuid: string | null;
}

const isOneOf = <T extends string>(list: readonly T[], value: unknown): value is T =>
  (list as readonly unknown[]).includes(value);
export const isLayout = (value: unknown): value is LayoutId => isOneOf(LAYOUTS, value);

/** @throws TypeError when the pool is none of this plugin's */
export function layoutOf(spec: PoolSpec): LayoutId {
  if (isLayout(spec.layout)) return spec.layout;
  throw new TypeError(`LVM has no layout ${spec.layout}`);
}
/** @throws TypeError */
export function filesystemOf(spec: PoolSpec): FilesystemType {
  const { filesystem = 'ext4' } = spec.options;
  if (isOneOf(['ext4', 'xfs'] as const, filesystem)) return filesystem;
  throw new TypeError(`LVM pools have no filesystem ${String(filesystem)}`);
}

const fact = (spec: PoolSpec, name: string): string | null => {
  const value = spec.facts?.[name];
  return typeof value === 'string' ? value : null;
};

export function namesOf(spec: PoolSpec): Names {
  return {
    group: fact(spec, 'group') ?? `cairn_${spec.guid.slice(0, 8).toLowerCase()}`,
    volume: fact(spec, 'volume') ?? DATA,
    thinPool: layoutOf(spec) === 'thin' ? (fact(spec, 'thinPool') ?? POOL) : null,
    groupUuid: fact(spec, 'groupUuid'),
  };
}

/** The device mapper's name of a volume: a dash in a name is doubled, so that the one between them is the only single one. */
export const mappedName = (group: string, volume: string): string =>
  `${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
export const mappedOf = (spec: PoolSpec): MappedRef => {
  const { group, volume } = namesOf(spec);
  return { mapped: mappedName(group, volume) };
};

/** LVM writes a UUID as 32 letters and digits in groups of 6-4-4-4-4-4-6. */
export const lvmUuid = (uuid: string): string =>
  uuid.replaceAll('-', '').replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7');

/** UUID of a drive's physical volume: of a found pool as it was found, else made from the pool and the drive. */
export function physicalUuid(sdk: PluginSdk, spec: PoolSpec, drive: Pick<PoolDrive, 'id'>): string {
  const known = spec.facts?.physical;
  if (typeof known === 'object' && known !== null && !Array.isArray(known)) {
    const found = known[drive.id];
    if (typeof found === 'string') return found;
  }
  return lvmUuid(sdk.derivedUuid(spec.guid, `physical-volume ${drive.id}`));
}

const SNAPSHOT = 'snap.';
/** Longest name of a volume is 127 less the group's; some room is left for LVM's own suffixes. */
const SNAPSHOT_NAME_MAX = 90;

/**
 * A snapshot's volume: its name behind `snap.`; whatever is not a letter, digit, dot or dash is told as `+` and two hex
 * digits for each byte. So a name cannot meet one of LVM's reserved endings (`_tmeta`), and can be read back.
 * @throws TypeError for a name that would be too long
 */
export function snapshotVolume(name: string): string {
  const encoded = [...Buffer.from(name.normalize('NFC'))]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9.-]/.test(character) ? character : `+${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
  if (encoded === '' || encoded.length > SNAPSHOT_NAME_MAX)
    throw new TypeError(`"${name}" is too long for the name of a snapshot`);
  return `${SNAPSHOT}${encoded}`;
}

/** @returns the name as the user gave it; null for a volume that is no snapshot of ours */
export function snapshotName(volume: string): string | null {
  if (!volume.startsWith(SNAPSHOT)) return null;
  const bytes = volume.slice(SNAPSHOT.length).replaceAll(/\+([0-9a-f]{2})/g, '%$1');
  try {
    return decodeURIComponent(bytes);
  } catch {
    return null; // made in a shell, with a plus sign of its own
  }
}

export const nameOf = (drive: Pick<PoolDrive, 'serial' | 'label'>): string => drive.serial ?? drive.label;
export const bySlot = (drives: PoolDrive[]): PoolDrive[] => drives.toSorted((a, b) => a.slot - b.slot);
export const presentOf = (spec: PoolSpec): PoolDrive[] =>
  bySlot(spec.drives).filter((drive) => drive.present);
