/** A pool of this plugin, taken apart: its array, where its members lie, its filesystem. Pure. */
import type { ArrayRef, DriveRef, Json } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { FILESYSTEMS, isFilesystem, type Filesystem, type FilesystemType } from './filesystems';
import { isLayout, partitionBytes, type LayoutId } from './layouts';

export const ID = 'mdraid';
/** GPT type of a Linux RAID member: what udev, installers and firmware know it by. */
const LINUX_RAID = 'A19D880F-05FC-4D3B-A006-743F0F84911E';

export interface Parts {
  layout: LayoutId;
  array: ArrayRef;
  type: FilesystemType;
  filesystem: Filesystem;
  /** Members that hold data, and those that wait, by slot; both also when they are not there. */
  data: PoolDrive[];
  spares: PoolDrive[];
  /** Where on the drive the member lies. */
  memberOf(drive: PoolDrive): DriveRef;
}

const isRecord = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a pool that was found: number of the member's partition by drive id, 0 for the whole drive. */
function foundPartition(spec: PoolSpec, driveId: string): number | null {
  const partitions = spec.facts?.partitions;
  const number = isRecord(partitions) ? partitions[driveId] : undefined;
  return typeof number === 'number' ? number : null;
}

/** Of a pool that was found: the UUID that its array has; else the one that Cairn gave it. */
export function arrayOf(sdk: Pick<PluginSdk, 'derivedUuid'>, spec: PoolSpec): ArrayRef {
  const told = spec.facts?.arrayUuid;
  return { array: typeof told === 'string' ? told : sdk.derivedUuid(spec.guid, 'array') };
}

/** @throws TypeError when the pool is not one of this plugin's */
export function partsOf(sdk: Pick<PluginSdk, 'derivedUuid'>, spec: PoolSpec): Parts {
  const type = spec.options.filesystem;
  if (!isLayout(spec.layout) || !isFilesystem(type))
    throw new TypeError(`pool ${spec.guid} is not a pool of ${ID}`);
  const bySlot = spec.drives.toSorted((a, b) => a.slot - b.slot);
  return {
    layout: spec.layout,
    array: arrayOf(sdk, spec),
    type,
    filesystem: FILESYSTEMS[type],
    data: bySlot.filter((drive) => drive.role !== 'spare'),
    spares: bySlot.filter((drive) => drive.role === 'spare'),
    memberOf: (drive) => {
      const partition = foundPartition(spec, drive.id) ?? 1;
      return partition === 0 ? { drive: drive.id } : { drive: drive.id, partition };
    },
  };
}

/** The same UUIDs whenever the same drive is made a member of the same pool. */
export const tableOf = (sdk: Pick<PluginSdk, 'derivedUuid'>, spec: PoolSpec, drive: PoolDrive) => ({
  drive,
  diskUuid: sdk.derivedUuid(spec.guid, `disk ${drive.id}`),
  partitionUuid: sdk.derivedUuid(spec.guid, `partition ${drive.id}`),
  type: LINUX_RAID,
  sizeBytes: partitionBytes(drive.sizeBytes),
  oneOfMany: true,
});

export const nameOf = (drive: PoolDrive): string => drive.serial ?? drive.label;
