/**
 * What a pool's things are called. All of it follows from its GUID and its drives, so nothing has to be stored; only of a pool
 * that another system made it is in its facts, as it was found. Pure.
 */
import type { Json } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { PARTITIONS } from './zfs';

const PREFIX = 'cairn-';
const OURS = /^cairn-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Never made of the label: a pool can only be renamed while it is exported. The label is its comment. */
export const poolName = (guid: string): string => `${PREFIX}${guid}`;
/** The GUID in the name of a pool that a Cairn made; null: another's. */
export const guidOf = (name: string): string | null => OURS.exec(name)?.[1] ?? null;

type Told = Pick<PoolSpec, 'guid' | 'facts'>;
const fact = ({ facts }: Told, name: string): string | null => {
  const value = facts?.[name];
  return typeof value === 'string' ? value : null;
};
export const poolOf = (spec: Told): string => fact(spec, 'name') ?? poolName(spec.guid);
/** What `zpool import` is told: two pools of other systems may have one name, never one number. */
export const importedBy = (spec: Told): string => fact(spec, 'guid') ?? poolName(spec.guid);

/** Where the files lie. A pool of another system keeps them in its first dataset. */
export const datasetOf = (pool: string): string => (guidOf(pool) === null ? pool : `${pool}/data`);
/**
 * A dataset of another system is mounted elsewhere by `zfs mount`; mount(8) takes it only with this option, and its properties
 * stay as they are.
 */
export const mountOptionsOf = (pool: string): string[] => (guidOf(pool) === null ? ['zfsutil'] : []);
/** Longest that a comment may be is 32; ASCII only (zpoolprops(7)). */
export const COMMENT_MAX_LENGTH = 32;

/** Where a device of a pool of another system was found. */
export interface FoundDevice {
  /** Below {@link PARTITIONS}. */
  path: string;
  partition: number;
}
function foundDevice({ facts }: Told, id: string): FoundDevice | null {
  const devices: Json | undefined = facts?.devices;
  if (typeof devices !== 'object' || devices === null || Array.isArray(devices)) return null;
  const device = devices[id];
  if (typeof device !== 'object' || device === null || Array.isArray(device)) return null;
  const { path, partition } = device;
  return typeof path === 'string' && typeof partition === 'number' ? { path, partition } : null;
}

type Derive = Pick<PluginSdk, 'derivedUuid'>;
type Member = Pick<PoolDrive, 'id'>;
export const partitionUuid = (sdk: Derive, guid: string, driveId: string): string =>
  sdk.derivedUuid(guid, `zfs-partition-${driveId}`);
export const diskUuid = (sdk: Derive, guid: string, driveId: string): string =>
  sdk.derivedUuid(guid, `zfs-disk-${driveId}`);
/** The same on every machine and at every port, and known of a drive that is not there. */
export const devicePath = (sdk: Derive, spec: Told, drive: Member): string =>
  foundDevice(spec, drive.id)?.path ?? `${PARTITIONS}/${partitionUuid(sdk, spec.guid, drive.id)}`;
/** Number of the partition that the pool has on a drive. */
export const partitionOf = (spec: Told, drive: Member): number => foundDevice(spec, drive.id)?.partition ?? 1;
/** Its table was made by another system, and has more in it than Cairn knows. */
export const isTableOfOthers = (spec: Told, drive: Member): boolean => foundDevice(spec, drive.id) !== null;
