/** Calls of btrfs(8) and mkfs.btrfs(8): typed call in, argv out. Pure. */
import type { DriveRef, ExecAction } from '../../src/lib/plugin-api/plan';

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
