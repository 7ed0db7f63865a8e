/** The filesystems on top of a volume: how each is made, renamed, grown and measured. Pure. */
import type { ExecAction, MappedRef } from '../../src/lib/plugin-api/plan';
import type { FilesystemType } from './names';

export const MKFS_EXT4 = '/usr/sbin/mkfs.ext4';
export const MKFS_XFS = '/usr/sbin/mkfs.xfs';
export const E2LABEL = '/usr/sbin/e2label';
export const RESIZE2FS = '/usr/sbin/resize2fs';
export const DUMPE2FS = '/usr/sbin/dumpe2fs';
export const XFS_IO = '/usr/sbin/xfs_io';
export const XFS_GROWFS = '/usr/sbin/xfs_growfs';

interface Place {
  at: MappedRef;
  mountPath: string;
}
export interface Filesystem {
  title: string;
  /** Longest label that it stores, bytes. */
  labelMaxLength: number;
  make(request: { at: MappedRef; uuid: string; label: string }): ExecAction;
  /** While it is mounted. */
  setLabel(request: Place & { label: string }): ExecAction;
  /** To all of the volume, while it is mounted. */
  grow(place: Place): ExecAction;
  /** Reads its size while it is mounted; `parse` gives bytes. */
  measure: {
    program: string;
    argv(place: { path: string; mountPath: string }): string[];
    parse(text: string): number;
  };
}

// A slow drive of many terabytes takes minutes even though the tables are written later.
const MKFS_TIMEOUT_MS = 15 * 60_000;
const GROW_TIMEOUT_MS = 60 * 60_000;

function bytesOf(text: string, blocks: RegExp, blockBytes: RegExp): number {
  const bytes = Number(blocks.exec(text)?.[1]) * Number(blockBytes.exec(text)?.[1]);
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new Error('no size of a filesystem in it');
  return bytes;
}

export const FILESYSTEMS: Record<FilesystemType, Filesystem> = {
  ext4: {
    title: 'ext4',
    labelMaxLength: 16,
    make: ({ at, uuid, label }) => ({
      do: 'exec',
      program: MKFS_EXT4,
      argv: [
        ...['-q', '-F', '-U', uuid, '-L', label, '-m', '0'],
        ...['-E', 'lazy_itable_init=1,lazy_journal_init=1', '--', at],
      ],
      timeoutMs: MKFS_TIMEOUT_MS,
    }),
    setLabel: ({ at, label }) => ({ do: 'exec', program: E2LABEL, argv: [at, label] }),
    grow: ({ at }) => ({ do: 'exec', program: RESIZE2FS, argv: [at], timeoutMs: GROW_TIMEOUT_MS }),
    measure: {
      program: DUMPE2FS,
      argv: ({ path }) => ['-h', path],
      parse: (text) => bytesOf(text, /^Block count:\s+(\d+)$/m, /^Block size:\s+(\d+)$/m),
    },
  },
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
    grow: ({ mountPath }) => ({
      do: 'exec',
      program: XFS_GROWFS,
      argv: ['-d', mountPath],
      timeoutMs: GROW_TIMEOUT_MS,
    }),
    // Asks the kernel only and changes nothing (-n of xfs_growfs(8)).
    measure: {
      program: XFS_GROWFS,
      argv: ({ mountPath }) => ['-n', mountPath],
      parse: (text) => bytesOf(text, /^data\s+=.*\bblocks=(\d+)/m, /^data\s+=\s+bsize=(\d+)/m),
    },
  },
};
