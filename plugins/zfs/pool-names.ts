/** What a pool's things are called. All of it follows from its GUID and its drives: nothing has to be stored. Pure. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PoolDrive, PoolSpec } from '../../src/lib/plugin-api/storage';
import { PARTITIONS } from './zfs';

const PREFIX = 'cairn-';
const OURS = /^cairn-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Never made of the label: a pool can only be renamed while it is exported. The label is its comment. */
export const poolName = (guid: string): string => `${PREFIX}${guid}`;
/** The GUID in the name of a pool that a Cairn made; null: another's. */
export const guidOf = (name: string): string | null => OURS.exec(name)?.[1] ?? null;

export const datasetOf = (pool: string): string => `${pool}/data`;
/** Longest that a comment may be is 32; ASCII only (zpoolprops(7)). */
export const COMMENT_MAX_LENGTH = 32;

type Derive = Pick<PluginSdk, 'derivedUuid'>;
export const partitionUuid = (sdk: Derive, guid: string, driveId: string): string =>
  sdk.derivedUuid(guid, `zfs-partition-${driveId}`);
export const diskUuid = (sdk: Derive, guid: string, driveId: string): string =>
  sdk.derivedUuid(guid, `zfs-disk-${driveId}`);
/** The same on every machine and at every port, and known of a drive that is not there. */
export const devicePath = (sdk: Derive, spec: Pick<PoolSpec, 'guid'>, drive: Pick<PoolDrive, 'id'>): string =>
  `${PARTITIONS}/${partitionUuid(sdk, spec.guid, drive.id)}`;
