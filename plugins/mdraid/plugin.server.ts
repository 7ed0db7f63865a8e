/** Arrays of the kernel's md driver (RAID 0, 1, 5, 6, 10) with a filesystem on top. */
import { existsSync } from 'node:fs';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { Availability, PluginContext } from '../../src/lib/plugin-api/storage';
import { readArray } from './array';
import { btrfsBytes, ext4Bytes, lookAtSize, xfsBytes } from './filesystem-size';
import * as programs from './filesystems';
import { find } from './find';
import { LAYOUTS, REDUNDANT, STRIPED, usableBytes } from './layouts';
import * as looks from './looks';
import { MDADM } from './mdadm';
import { parseExamine } from './parse-examine';
import { arrayOf, ID } from './parts';
import { plansOf } from './plan';
import { changesOf, refusal } from './plan-change';
import { status } from './status';
import { MDSTAT, watch } from './watch';

const MIB = 1024 ** 2;

async function check(sdk: PluginSdk, context: PluginContext): Promise<Availability> {
  const found = await sdk.checkPrograms(
    context,
    [
      { program: MDADM, argv: ['--version'], package: 'mdadm' },
      { program: sdk.WIPEFS, argv: ['--version'], package: 'util-linux' },
      { program: sdk.SFDISK, argv: ['--version'], package: 'fdisk' },
      { program: programs.MKFS_EXT4, argv: ['-V'], package: 'e2fsprogs' },
      { program: programs.MKFS_XFS, argv: ['-V'], package: 'xfsprogs' },
      { program: programs.MKFS_BTRFS, argv: ['--version'], package: 'btrfs-progs' },
    ],
    ['ext4', 'xfs', 'btrfs'],
  );
  if (!found.available) return found;
  // Present as soon as the driver is loaded; until then its module has to be there, which mdadm loads by itself.
  if (existsSync(MDSTAT) || context.hasFilesystem('md-mod')) return found;
  return {
    available: false,
    reason: 'The running kernel has no driver for arrays (md).',
    remedy:
      'Install a kernel that has it (Debian: apt-get install linux-image-amd64 or linux-image-arm64), then restart.',
  };
}

export default (sdk: PluginSdk) => {
  const parsers = {
    examine: sdk.defineParser('mdadm --examine', parseExamine),
    sizes: {
      ext4: sdk.defineParser('dumpe2fs', ext4Bytes),
      xfs: sdk.defineParser('xfs_io statfs', xfsBytes),
      btrfs: sdk.defineParser('btrfs filesystem show', btrfsBytes),
    },
  };
  return sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'md RAID',
    version: '0.1.0',
    young: true,
    description: 'RAID of the Linux kernel over equal drives, with ext4, XFS or btrfs on top.',
    programs: [
      ...[MDADM, sdk.WIPEFS, sdk.SFDISK, programs.MKFS_EXT4, programs.MKFS_XFS, programs.MKFS_BTRFS],
      ...[programs.E2LABEL, programs.RESIZE2FS, programs.DUMPE2FS, programs.XFS_IO, programs.XFS_GROWFS],
      ...[programs.BTRFS, watch.program],
    ],
    layouts: LAYOUTS,
    roles: ['data', 'spare'],
    options: {
      filesystem: sdk.select({
        label: 'Filesystem',
        help: 'ext4 is the most widely readable; XFS is good with very large files; btrfs has snapshots.',
        default: 'ext4',
        choices: [
          { value: 'ext4', label: 'ext4' },
          { value: 'xfs', label: 'XFS' },
          { value: 'btrfs', label: 'btrfs' },
        ],
      }),
      chunkKib: sdk.select({
        label: 'Chunk size',
        help: 'How much goes to one drive before the next one is taken. 512 KiB fits nearly everything.',
        default: '512',
        choices: ['64', '128', '256', '512', '1024'].map((value) => ({ value, label: `${value} KiB` })),
        layouts: STRIPED,
      }),
      bitmap: sdk.boolean({
        label: 'Write-intent bitmap',
        help: 'After a crash, or when a drive was away, only what had changed is brought into step again.',
        default: true,
        layouts: REDUNDANT,
      }),
    },
    // mkfs.xfs refuses less than 300 MiB; table and superblock take some more.
    minimumDriveBytes: 320 * MIB,
    check: (context) => check(sdk, context),
    usableBytes,
    ...plansOf(sdk),
    ...changesOf(sdk),
    refusal,
    watch,
    keyOf: (spec) => arrayOf(sdk, spec).array,
    find: (context) => find(context, sdk, parsers.examine),
    status: (context, spec) =>
      status(context, spec, { derivedUuid: sdk.derivedUuid, array: readArray, examine: parsers.examine }),
    looks: {
      superblocks: looks.superblocks,
      started: looks.started,
      incomplete: looks.incomplete,
      clear: looks.clear,
      members: looks.members,
      failed: looks.failed,
      filling: looks.filling,
      synced: looks.synced,
      places: looks.places,
      scrubbing: looks.scrubbing,
      label: looks.label,
      'filesystem-size': (context, args) => lookAtSize(context, args, parsers.sizes),
    },
  });
};
