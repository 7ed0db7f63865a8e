/** Whether a drive may be chosen, and every reason why not: pure. */
import type { Issue } from '$lib/shared/error-codes';
import type { Drive, DriveGroup, Protection } from '$lib/shared/wire/drives';
import { issue } from '../errors';
import type { BlockDrive } from '../host/types';

export interface Circumstances {
  protectedByUser: boolean;
  /** Cairn runs with sandbox drives only. */
  sandboxMode: boolean;
  pool: Drive['pool'];
  operationId: string | null;
  /** Taken out of a pool, and not released since. */
  setAside?: Drive['setAside'];
  /** It slept when it was asked last. */
  asleep?: boolean;
}

/** `Sandbox drive SBX-3F2A-01`; without a serial the kernel's name, which is all there is. */
export const driveName = (drive: Pick<Drive, 'model' | 'serial' | 'kernelName' | 'id'>): string =>
  `${drive.model ?? 'Drive'} ${drive.serial ?? drive.kernelName ?? drive.id}`;

export function protectionOf(
  drive: Pick<BlockDrive, 'system' | 'sandbox'>,
  circumstances: Circumstances,
): Protection {
  if (drive.system) return 'system';
  if (circumstances.protectedByUser) return 'user';
  return circumstances.sandboxMode && !drive.sandbox ? 'sandbox-mode' : 'none';
}

/** Everybody who uses the drive or a partition of it, a phrase each. */
export const usersOf = (drive: BlockDrive): string[] => [
  ...[drive, ...drive.partitions].flatMap(({ mounts }) => mounts.map(({ path }) => `mounted at ${path}`)),
  ...drive.usedBy,
];

/** @returns an issue for each reason; none means that the drive can be chosen */
export function issuesOf(drive: BlockDrive, circumstances: Circumstances): Issue[] {
  const name = driveName(drive);
  const issues: Issue[] = [];
  const add = (is: boolean, ...of: [Issue['code'], string, remedy?: string]): void => {
    if (is) issues.push(issue(of[0], of[1], undefined, of[2]));
  };
  const protection = protectionOf(drive, circumstances);
  const { pool, operationId } = circumstances;
  const users = usersOf(drive);
  add(protection === 'system', 'drive_system', `${name} holds the running system.`);
  add(protection === 'user', 'drive_protected', `${name} was protected by a user.`);
  add(
    protection === 'sandbox-mode',
    'drive_sandbox_mode',
    `${name} is a real drive, and Cairn runs in sandbox mode.`,
  );
  if (pool)
    add(
      true,
      'drive_in_pool',
      `${name} belongs to the pool "${pool.label}".`,
      `Remove the pool "${pool.label}" first, or choose another drive.`,
    );
  else if (protection !== 'system')
    add(users.length > 0, 'drive_in_use', `${name} is in use: ${users.join(', ')}.`, freeing(drive));
  const { setAside } = circumstances;
  add(
    Boolean(setAside) && !pool,
    'drive_set_aside',
    `${name} was set aside: ${setAside?.why ?? ''}`,
    'Release it on the Drives page when you trust it, or choose another drive.',
  );
  add(
    drive.identity === 'ambiguous',
    'drive_ambiguous',
    `${name} cannot be told from another drive that is plugged in.`,
  );
  // A drive without a serial (identity weak) may be a pool of its own; who asks for several drives refuses it.
  add(
    drive.readOnly,
    'drive_read_only',
    `${name} is read-only.`,
    'Check the write-protect switch, or choose another drive.',
  );
  if (circumstances.asleep)
    add(
      !drive.probed && protection === 'none',
      'drive_unreadable',
      `${name} sleeps, so what is on it has not been read.`,
      'Press "Read what is on it": that wakes it.',
    );
  else
    add(
      !drive.probed && protection === 'none',
      'drive_unreadable',
      `What is on ${name} could not be read yet.`,
    );
  add(operationId !== null, 'locked', `An operation is at work on ${name}.`);
  return issues;
}

function freeing(drive: BlockDrive): string {
  const mount = [...drive.mounts, ...drive.partitions.flatMap((partition) => partition.mounts)][0];
  return mount ? `Unmount ${mount.path}, or choose another drive.` : 'Free the drive, or choose another one.';
}

export function groupOf(drive: BlockDrive, circumstances: Circumstances): DriveGroup {
  if (circumstances.pool) return 'in-pool';
  if (protectionOf(drive, circumstances) !== 'none') return 'protected';
  if (usersOf(drive).length > 0) return 'in-use';
  return circumstances.setAside ? 'set-aside' : 'free';
}
