/** The two filesystems of this plugin: how each is made and renamed. Pure. */
import type { DriveRef, ExecAction } from '../../src/lib/plugin-api/plan';

export type FilesystemType = 'ext4' | 'xfs';

export const MKFS_EXT4 = '/usr/sbin/mkfs.ext4';
export const MKFS_XFS = '/usr/sbin/mkfs.xfs';
export const E2LABEL = '/usr/sbin/e2label';
export const XFS_IO = '/usr/sbin/xfs_io';

export interface MakeRequest {
  at: DriveRef;
  uuid: string;
  label: string;
  /** Percent of blocks that only root may use; ext4 only. */
  reservedPercent: number;
}
export interface LabelRequest {
  at: DriveRef;
  mountPath: string;
  label: string;
}
export interface Filesystem {
  title: string;
  /** Longest label that it stores, bytes. */
  labelMaxLength: number;
  make(request: MakeRequest): ExecAction;
  /** Sets the label while it is mounted. */
  setLabel(request: LabelRequest): ExecAction;
}

// A slow drive of many terabytes takes minutes even though the tables are written later.
const MKFS_TIMEOUT_MS = 15 * 60_000;

export const FILESYSTEMS: Record<FilesystemType, Filesystem> = {
  // mke2fs(8): -F because a whole drive is no partition; the lazy options leave the tables to the kernel.
  ext4: {
    title: 'ext4',
    labelMaxLength: 16,
    make: ({ at, uuid, label, reservedPercent }) => ({
      do: 'exec',
      program: MKFS_EXT4,
      argv: [
        ...['-q', '-F', '-U', uuid, '-L', label, '-m', String(reservedPercent)],
        ...['-E', 'lazy_itable_init=1,lazy_journal_init=1', '--', at],
      ],
      timeoutMs: MKFS_TIMEOUT_MS,
    }),
    setLabel: ({ at, label }) => ({ do: 'exec', program: E2LABEL, argv: [at, label] }),
  },
  // mkfs.xfs(8): -f because a former content may look like something; what may be erased was decided before.
  xfs: {
    title: 'XFS',
    labelMaxLength: 12,
    make: ({ at, uuid, label }) => ({
      do: 'exec',
      program: MKFS_XFS,
      argv: ['-q', '-f', '-m', `uuid=${uuid}`, '-L', label, at],
      timeoutMs: MKFS_TIMEOUT_MS,
    }),
    // xfs_io(8) takes a command line of its own: only a label of the strict map may be put into it.
    setLabel: ({ mountPath, label }) => {
      if (!/^[A-Za-z0-9._][A-Za-z0-9._-]{0,11}$/.test(label))
        throw new TypeError(`not an XFS label: ${label}`);
      return { do: 'exec', program: XFS_IO, argv: ['-c', `label -s ${label}`, mountPath] };
    },
  },
};
