/** The filesystems on top of an array: how each is made, named and grown. Pure. */
import type { DeviceRef, ExecAction } from '../../src/lib/plugin-api/plan';

export const FILESYSTEM_TYPES = ['ext4', 'xfs', 'btrfs'] as const;
export type FilesystemType = (typeof FILESYSTEM_TYPES)[number];
export const isFilesystem = (value: unknown): value is FilesystemType =>
  (FILESYSTEM_TYPES as readonly unknown[]).includes(value);

export const MKFS_EXT4 = '/usr/sbin/mkfs.ext4';
export const MKFS_XFS = '/usr/sbin/mkfs.xfs';
export const MKFS_BTRFS = '/usr/sbin/mkfs.btrfs';
export const E2LABEL = '/usr/sbin/e2label';
export const RESIZE2FS = '/usr/sbin/resize2fs';
export const DUMPE2FS = '/usr/sbin/dumpe2fs';
export const XFS_IO = '/usr/sbin/xfs_io';
export const XFS_GROWFS = '/usr/sbin/xfs_growfs';
export const BTRFS = '/usr/bin/btrfs';

export interface Filesystem {
  title: string;
  /** Longest label that it stores, bytes. */
  labelMaxLength: number;
  make(request: { at: DeviceRef; uuid: string; label: string }): ExecAction;
  /** Sets the label while it is mounted. */
  setLabel(request: { at: DeviceRef; mountPath: string; label: string }): ExecAction;
  /** Takes all of the array while it is mounted; nothing happens when it has it already. */
  grow(request: { at: DeviceRef; mountPath: string }): ExecAction;
}

const MKFS_TIMEOUT_MS = 15 * 60_000;
const GROW_TIMEOUT_MS = 60 * 60_000;
const exec = (program: string, argv: ExecAction['argv'], timeoutMs?: number): ExecAction => ({
  do: 'exec',
  program,
  argv,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

/** The geometry of stripes comes to mkfs by itself: it reads the array's preferred sizes from the kernel. */
export const FILESYSTEMS: Record<FilesystemType, Filesystem> = {
  ext4: {
    title: 'ext4',
    labelMaxLength: 16,
    make: ({ at, uuid, label }) =>
      exec(
        MKFS_EXT4,
        [
          ...['-q', '-F', '-U', uuid, '-L', label, '-m', '0'],
          ...['-E', 'lazy_itable_init=1,lazy_journal_init=1', '--', at],
        ],
        MKFS_TIMEOUT_MS,
      ),
    setLabel: ({ at, label }) => exec(E2LABEL, [at, label]),
    grow: ({ at }) => exec(RESIZE2FS, [at], GROW_TIMEOUT_MS),
  },
  xfs: {
    title: 'XFS',
    labelMaxLength: 12,
    make: ({ at, uuid, label }) =>
      exec(MKFS_XFS, ['-q', '-f', '-m', `uuid=${uuid}`, '-L', label, at], MKFS_TIMEOUT_MS),
    // xfs_io(8) takes a command line of its own: only a label of the strict map may be put into it.
    setLabel: ({ mountPath, label }) => {
      if (!/^[A-Za-z0-9._][A-Za-z0-9._-]{0,11}$/.test(label))
        throw new TypeError(`not an XFS label: ${label}`);
      return exec(XFS_IO, ['-c', `label -s ${label}`, mountPath]);
    },
    grow: ({ mountPath }) => exec(XFS_GROWFS, [mountPath], GROW_TIMEOUT_MS),
  },
  // The array has the redundancy; metadata twice lets btrfs mend what an array cannot tell to be wrong.
  btrfs: {
    title: 'btrfs',
    labelMaxLength: 64,
    make: ({ at, uuid, label }) =>
      exec(
        MKFS_BTRFS,
        ['-q', '-f', '-U', uuid, '-L', label, '-d', 'single', '-m', 'dup', '--', at],
        MKFS_TIMEOUT_MS,
      ),
    setLabel: ({ mountPath, label }) => exec(BTRFS, ['filesystem', 'label', '--', mountPath, label]),
    grow: ({ mountPath }) => exec(BTRFS, ['filesystem', 'resize', '--', 'max', mountPath], GROW_TIMEOUT_MS),
  },
};
