/** Right before data is destroyed: is this still the drive, with the content, that the user confirmed? */
import { AppError } from '../errors';
import type { BlockDrive, Host } from '../host/types';
import type { DriveExpectation } from './types';

const describe = (expected: DriveExpectation): string => `drive ${expected.serial ?? expected.id}`;

function checkIdentity(expected: DriveExpectation, found: BlockDrive): void {
  const differences: string[] = [];
  if (found.serial !== expected.serial)
    differences.push(`serial ${found.serial ?? 'none'} instead of ${expected.serial ?? 'none'}`);
  if (found.sizeBytes !== expected.sizeBytes)
    differences.push(`${found.sizeBytes} bytes instead of ${expected.sizeBytes}`);
  if (found.byId !== expected.byId)
    differences.push(`${found.byId ?? 'no by-id name'} instead of ${expected.byId ?? 'none'}`);
  if (differences.length > 0)
    throw new AppError(
      'drive_changed',
      `${describe(expected)} is not the one of the plan: ${differences.join(', ')}.`,
      {
        details: { driveId: expected.id },
      },
    );
  if (found.system)
    throw new AppError('drive_system', `${describe(expected)} holds the running system now.`, {
      details: { driveId: expected.id },
    });
}

function checkUnused(expected: DriveExpectation, found: BlockDrive): void {
  const mounts = [...found.mounts, ...found.partitions.flatMap((partition) => partition.mounts)].map(
    (mount) => `mounted at ${mount.path}`,
  );
  const users = [...mounts, ...found.usedBy];
  if (users.length > 0)
    throw new AppError(
      'drive_in_use',
      `${describe(expected)} is in use now: ${[...new Set(users)].join(', ')}.`,
      {
        details: { driveId: expected.id, users },
      },
    );
}

/**
 * @param untouched true while the operation itself has destroyed nothing on the drive: then its content must be what the
 *   plan was made from; later only its identity is compared, since the content is ours by then.
 * @param since when the step's own look began (`performance.now()`): what that read of the drive need not be read again
 * @throws AppError drive_gone | drive_ambiguous | drive_changed | drive_in_use | drive_system
 */
export async function recheckDrive(
  host: Host,
  expected: DriveExpectation,
  untouched: boolean,
  since: number,
): Promise<void> {
  const found = await host.blockDevices.inspect(expected.id, since);
  checkIdentity(expected, found);
  if (!untouched) return;
  checkUnused(expected, found);
  if (found.contentHash !== expected.contentHash)
    throw new AppError(
      'drive_changed',
      `What is on ${describe(expected)} has changed since the plan was made.`,
      {
        details: { driveId: expected.id, expected: expected.contentHash, found: found.contentHash },
      },
    );
}
