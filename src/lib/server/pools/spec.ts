/** A pool's record and the drives of this moment, as the description that plugins get. */
import type { PoolDrive, PoolSpec } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import type { Drive } from '$lib/shared/wire/drives';
import type { Erasure } from '$lib/shared/wire/operations';
import type { DriveExpectation, Prepared } from '../operations/types';
import type { PoolRecord } from './store';

/** What the operations of pools keep as their input: all that their plan and their record need. */
export interface PoolInput extends PoolSpec {
  plugin: string;
}
/** Everything in it is JSON; the types of the plugin API only do not say so. */
export const toInput = (input: object): JsonObject => JSON.parse(JSON.stringify(input)) as JsonObject;
export const inputOf = <T extends PoolInput = PoolInput>(prepared: Prepared): T =>
  prepared.input as unknown as T;

/** @param driveOf the drive as it is now; null while it is not there */
export function specOf(record: PoolRecord, driveOf: (id: string) => Drive | null): PoolSpec {
  const drives = record.drives.map((row): PoolDrive => {
    const drive = driveOf(row.driveId);
    return {
      id: row.driveId,
      serial: row.serial,
      label: row.label,
      sizeBytes: row.sizeBytes,
      slot: row.slot,
      contentHash: drive?.contentHash ?? 'blank',
      partitions: drive?.partitions.map((partition) => partition.number) ?? [],
      present: drive?.present ?? false,
    };
  });
  return {
    guid: record.guid,
    label: record.label,
    layout: record.layout,
    options: record.options,
    mountPath: record.mountPath,
    mountPathExisted: record.mountPathExisted,
    drives,
  };
}

export const locksOf = (spec: PoolSpec): string[] => [
  `pool:${spec.guid}`,
  ...spec.drives.map((drive) => `drive:${drive.id}`),
  `path:${spec.mountPath}`,
];

export const expectationOf = (drive: Drive): DriveExpectation => ({
  id: drive.id,
  serial: drive.serial,
  sizeBytes: drive.sizeBytes,
  byId: drive.byId,
  contentHash: drive.contentHash,
});

/** What is on a drive, a line each: `ext4 "photos" on partition 1`. */
export function contentLines(drive: Drive): string[] {
  const describe = (signature: { type: string; label: string | null }): string =>
    signature.label ? `${signature.type} "${signature.label}"` : signature.type;
  return [
    ...drive.signatures.map((signature) =>
      signature.usage === 'partition-table'
        ? `partition table (${signature.type}) with ${drive.partitions.length} partitions`
        : describe(signature),
    ),
    ...drive.partitions.flatMap((partition) =>
      partition.signatures.length === 0
        ? [`partition ${partition.number}, nothing recognised on it`]
        : partition.signatures.map((signature) => `${describe(signature)} on partition ${partition.number}`),
    ),
  ];
}

/** What a plan erases on a drive; null when nothing is on it. */
export function erasureOf(drive: Drive): Erasure | null {
  if (drive.contentHash === 'blank') return null;
  const lines = contentLines(drive);
  return {
    driveId: drive.id,
    serial: drive.serial,
    path: drive.path,
    sizeBytes: drive.sizeBytes,
    content: lines.length > 0 ? lines : ['content that is not recognised'],
  };
}
