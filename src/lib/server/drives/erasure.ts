/** What is lost when a drive is erased: pure. */
import type { Drive } from '$lib/shared/wire/drives';
import type { Erasure } from '$lib/shared/wire/operations';
import type { DriveExpectation } from '../operations/types';

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
