/** One drive, one filesystem: the simplest pool. Nothing protects it against the loss of its drive. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { E2LABEL, MKFS_EXT4, MKFS_XFS, XFS_IO } from './filesystems';
import { finderOf, lookAtTable } from './find';
import { ID, plansOf } from './plan';
import { lookAtLabel, status } from './status';

const MIB = 1024 ** 2;

export default (sdk: PluginSdk) =>
  sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'Single drive',
    version: '1.0.0',
    description: 'One drive with an ext4 or XFS filesystem. Simple and readable everywhere; no redundancy.',
    programs: [sdk.WIPEFS, sdk.SFDISK, MKFS_EXT4, MKFS_XFS, E2LABEL, XFS_IO],
    layouts: [
      {
        id: 'single',
        title: 'Single',
        description: 'All of one drive.',
        minDrives: 1,
        maxDrives: 1,
        tolerance: () => 0,
      },
    ],
    options: {
      filesystem: sdk.select({
        label: 'Filesystem',
        help: 'ext4 is the most widely readable; XFS is good with very large files.',
        default: 'ext4',
        choices: [
          { value: 'ext4', label: 'ext4' },
          { value: 'xfs', label: 'XFS' },
        ],
      }),
      partition: sdk.boolean({
        label: 'Make a partition',
        help: 'A GPT partition tells other systems that the drive is not empty. Without it the filesystem takes the whole drive.',
        default: true,
      }),
      reservedPercent: sdk.integer({
        label: 'Reserved for root, percent',
        help: 'ext4 only: space that only root may fill. Pools for data need none.',
        default: 0,
        min: 0,
        max: 20,
      }),
    },
    // mkfs.xfs refuses less than 300 MiB; the partition table takes two more.
    minimumDriveBytes: 320 * MIB,
    check: (context) =>
      sdk.checkPrograms(
        context,
        [
          { program: sdk.WIPEFS, argv: ['--version'], package: 'util-linux' },
          { program: sdk.SFDISK, argv: ['--version'], package: 'fdisk' },
          { program: MKFS_EXT4, argv: ['-V'], package: 'e2fsprogs' },
          // e2label has no version switch: without arguments it prints its usage and ends with 1.
          { program: E2LABEL, argv: [], package: 'e2fsprogs', okExitCodes: [0, 1] },
          { program: MKFS_XFS, argv: ['-V'], package: 'xfsprogs' },
          { program: XFS_IO, argv: ['-V'], package: 'xfsprogs' },
        ],
        ['ext4', 'xfs'],
      ),
    // The table at both ends takes 1 MiB in front and 33 sectors behind.
    usableBytes: ({ options, driveSizesBytes }) =>
      Math.max(0, (driveSizesBytes[0] ?? 0) - (options.partition === false ? 0 : 2 * MIB)),
    ...plansOf(sdk),
    status,
    find: finderOf(sdk),
    looks: { label: lookAtLabel, table: lookAtTable },
  });
