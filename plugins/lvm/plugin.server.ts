/** LVM over whole drives: one volume with ext4 or XFS; linear, mirrored, raid5, or thin with snapshots. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { usableBytes } from './capacity';
import { check } from './check';
import { DUMPE2FS, E2LABEL, MKFS_EXT4, MKFS_XFS, RESIZE2FS, XFS_GROWFS, XFS_IO } from './filesystems';
import { find } from './find';
import { toleranceOf } from './judge';
import { withParsers } from './looks';
import * as onFilesystem from './looks-filesystem';
import { DMSETUP, LVM, THIN_CHECK } from './lvm';
import { ID } from './names';
import { changePlans } from './plan-change';
import { createPlans } from './plan-create';
import { snapshotPlans } from './plan-snapshots';
import { parsersOf } from './reading';
import { refusal } from './refusal';
import { status } from './status';
import { watch } from './watch';

const MIB = 1024 ** 2;

export default (sdk: PluginSdk) => {
  const parsers = parsersOf(sdk);
  return sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'LVM',
    version: '0.1.0',
    young: true,
    description:
      'Volumes of the Logical Volume Manager with ext4 or XFS: drives in a row, mirrored, with parity, or thin with snapshots.',
    programs: [
      ...[sdk.WIPEFS, LVM, DMSETUP, THIN_CHECK, watch.program],
      ...[MKFS_EXT4, E2LABEL, RESIZE2FS, DUMPE2FS, MKFS_XFS, XFS_IO, XFS_GROWFS],
    ],
    layouts: [
      {
        id: 'linear',
        title: 'Linear',
        description: 'The space of all drives in a row; the loss of one drive loses the pool.',
        minDrives: 1,
        maxDrives: null,
        tolerance: () => 0,
      },
      {
        id: 'mirror',
        title: 'Mirror (raid1)',
        description: 'The same on every drive. A further drive is a further copy.',
        minDrives: 2,
        // dm-raid takes more; a mirror over more drives helps nobody.
        maxDrives: 8,
        tolerance: (count) => toleranceOf('mirror', count),
      },
      {
        id: 'raid5',
        title: 'Parity (raid5)',
        description:
          'The space of all drives but one; best with drives of the same size. It cannot grow by a drive.',
        minDrives: 3,
        maxDrives: 32,
        tolerance: (count) => toleranceOf('raid5', count),
      },
      {
        id: 'thin',
        title: 'Thin with snapshots',
        description:
          'Space is taken when it is written, snapshots cost what changes; the loss of one drive loses the pool.',
        minDrives: 1,
        maxDrives: null,
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
      overcommitPercent: sdk.integer({
        label: 'Promised size, percent',
        help: 'How large the volume says it is, compared with the space that is there. More than 100 promises space of drives that come later.',
        default: 100,
        min: 50,
        max: 1000,
        layouts: ['thin'],
      }),
    },
    // mkfs.xfs refuses less than 300 MiB; LVM and its copies take some of the rest.
    minimumDriveBytes: 384 * MIB,
    check: (context) => check(sdk, context),
    usableBytes,
    refusal,
    ...createPlans(sdk),
    ...changePlans(sdk),
    snapshots: snapshotPlans(sdk, parsers),
    watch,
    find: (context) => find(sdk, parsers, context),
    status: (context, spec) => status(sdk, parsers, context, spec),
    looks: { ...withParsers(parsers), label: onFilesystem.label, filled: onFilesystem.filled },
  });
};
