/** Calls of btrfs(8) and mkfs.btrfs(8): typed call in, argv out. Pure. */
import type { Argument, DriveRef, ExecAction } from '../../src/lib/plugin-api/plan';

export const BTRFS = '/usr/bin/btrfs';
export const MKFS_BTRFS = '/usr/sbin/mkfs.btrfs';

export const LAYOUTS = ['single', 'raid1', 'raid10'] as const;
export type LayoutId = (typeof LAYOUTS)[number];

/**
 * Profile of the metadata. It is small and losing it loses everything, so it is always kept twice: on one drive as `dup`,
 * on more as raid1. raid1 under raid10 too: it can still be written with one drive gone.
 */
export const metadataProfile = (driveCount: number): 'dup' | 'raid1' => (driveCount === 1 ? 'dup' : 'raid1');

export interface MakeRequest {
  drives: DriveRef[];
  layout: LayoutId;
  uuid: string;
  label: string;
}
export const makeCommand = ({ drives, layout, uuid, label }: MakeRequest): ExecAction => ({
  do: 'exec',
  program: MKFS_BTRFS,
  argv: [
    ...['-f', '-U', uuid, '-L', label, '-d', layout, '-m', metadataProfile(drives.length), '--'],
    ...drives,
  ],
  timeoutMs: 15 * 60_000,
});

export const labelCommand = (mountPath: string, label: string): ExecAction => ({
  do: 'exec',
  program: BTRFS,
  argv: ['filesystem', 'label', '--', mountPath, label],
});

/** A rebuild or a move of large drives takes days; each of these goes on from where it was when it is begun again. */
const LONG_MS = 20 * 24 * 3_600_000;

const run = (...argv: Argument[]): ExecAction => ({ do: 'exec', program: BTRFS, argv });
const long = (...argv: Argument[]): ExecAction => ({ ...run(...argv), timeoutMs: LONG_MS, follow: true });

export interface Profiles {
  data: string;
  metadata: string;
}
export const profilesOf = (layout: string, driveCount: number): Profiles => ({
  data: layout,
  metadata: metadataProfile(driveCount),
});

export const addCommand = (drive: DriveRef, mountPath: string): ExecAction =>
  run('device', 'add', '--', drive, mountPath);
/** @param member the drive, or its devid while it is missing */
export const removeCommand = (member: Argument, mountPath: string): ExecAction =>
  long('device', 'remove', '--', member, mountPath);
/** Goes on in the kernel when it has begun, also after the filesystem was unmounted and mounted again (btrfs-replace(8)). */
export const replaceCommand = (old: Argument, fresh: DriveRef, mountPath: string): ExecAction =>
  run('replace', 'start', old, fresh, mountPath);
/** Ends with 2 when none is at work. */
export const cancelReplaceCommand = (mountPath: string): ExecAction => ({
  ...run('replace', 'cancel', mountPath),
  okExitCodes: [0, 2],
});
export const growCommand = (devid: number, mountPath: string): ExecAction =>
  run('filesystem', 'resize', `${devid}:max`, mountPath);

/** `soft` leaves alone what has the profile already; -f lets metadata be kept fewer times than before (two drives to one). */
export const convertCommand = ({ data, metadata }: Profiles, mountPath: string): ExecAction =>
  long('balance', 'start', '-f', `-dconvert=${data},soft`, `-mconvert=${metadata},soft`, mountPath);
/** Everything is written anew, over all drives, with the profile of the layout. */
export const balanceCommand = ({ data, metadata }: Profiles, mountPath: string): ExecAction =>
  run('balance', 'start', '--background', `-dconvert=${data}`, `-mconvert=${metadata}`, mountPath);
export const cancelBalanceCommand = (mountPath: string): ExecAction => ({
  ...run('balance', 'cancel', mountPath),
  okExitCodes: [0, 2],
});
/** Prints what was counted, which stays in the output of the operation. */
export const resetStatsCommand = (mountPath: string): ExecAction =>
  run('device', 'stats', '--reset', mountPath);
export const scrubCommand = (mountPath: string): ExecAction => run('scrub', 'start', mountPath);
export const cancelScrubCommand = (mountPath: string): ExecAction => ({
  ...run('scrub', 'cancel', mountPath),
  okExitCodes: [0, 2],
});
