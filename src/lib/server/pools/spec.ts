/** A pool's record and the drives of this moment, as the description that plugins get. */
import type { PoolDrive, PoolSpec } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import type { Drive } from '$lib/shared/wire/drives';
import type { Prepared } from '../operations/types';
import type { PoolRecord } from './store';

/** What the operations of pools keep as their input: all that their plan and their record need. */
export interface PoolInput extends PoolSpec {
  plugin: string;
}
/** Everything in it is JSON; the types of the plugin API only do not say so. */
export const toInput = (input: object): JsonObject => JSON.parse(JSON.stringify(input)) as JsonObject;
export const inputOf = <T extends PoolInput = PoolInput>(prepared: Prepared): T =>
  prepared.input as unknown as T;

type SeenDrive = Pick<Drive, 'contentHash' | 'present'> & { partitions: { number: number }[] };
/** @param driveOf the drive as it is now; null while it is not there */
export function specOf(record: PoolRecord, driveOf: (id: string) => SeenDrive | null): PoolSpec {
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
      ...(row.role === 'data' ? {} : { role: row.role }),
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
    ...(record.facts === null ? {} : { facts: record.facts }),
  };
}

export const locksOf = (spec: PoolSpec): string[] => [
  `pool:${spec.guid}`,
  ...spec.drives.map((drive) => `drive:${drive.id}`),
  `path:${spec.mountPath}`,
];
