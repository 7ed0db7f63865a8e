/** btrfs over whole drives: checksums, compression, and two copies of everything where the layout says so. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { BTRFS, MKFS_BTRFS } from './btrfs';
import { usableBytes } from './capacity';
import { finderOf } from './find';
import * as looks from './looks';
import { parseShow } from './parse-show';
import { workLooks } from './looks-work';
import { parseScrub } from './parse-scrub';
import { parseStats } from './parse-stats';
import { parseBalance, parseProfiles, parseReplace } from './parse-work';
import { ID, plansOf } from './plan';
import { memberPlansOf } from './plan-members';
import { refusal, upkeepPlansOf } from './plan-upkeep';
import { snapshotReadings } from './snapshots';
import { status } from './status';
import { subvolumeLooks, subvolumeReader } from './subvolumes';

const MIB = 1024 ** 2;

export default (sdk: PluginSdk) => {
  const parsers = {
    show: sdk.defineParser('btrfs filesystem show', parseShow),
    stats: sdk.defineParser('btrfs device stats', parseStats),
    replace: sdk.defineParser('btrfs replace status', parseReplace),
    balance: sdk.defineParser('btrfs balance status', parseBalance),
    scrub: sdk.defineParser('btrfs scrub status', parseScrub),
    profiles: sdk.defineParser('btrfs filesystem df', parseProfiles),
  };
  const { plans, snapshots } = plansOf(sdk);
  const subvolumes = subvolumeReader(sdk);
  return sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'btrfs',
    version: '1.0.0',
    description:
      'Whole drives with checksums on all data, optional compression, and mirrors of unequal drives.',
    programs: [sdk.WIPEFS, BTRFS, MKFS_BTRFS],
    layouts: [
      {
        id: 'single',
        title: 'Single',
        description: 'The space of all drives together; the loss of one drive loses the pool.',
        minDrives: 1,
        maxDrives: null,
        tolerance: () => 0,
      },
      {
        id: 'raid1',
        title: 'Mirror (raid1)',
        description: 'Everything twice, on two different drives; drives may have different sizes.',
        minDrives: 2,
        maxDrives: null,
        tolerance: () => 1,
      },
      {
        id: 'raid10',
        title: 'Striped mirror (raid10)',
        description: 'Everything twice and striped over all drives: faster, best with equal drives.',
        minDrives: 4,
        maxDrives: null,
        tolerance: () => 1,
      },
    ],
    options: {
      compression: sdk.select({
        label: 'Compression',
        help: 'New files are compressed when that helps. zstd is a good choice for everything.',
        default: 'none',
        choices: [
          { value: 'none', label: 'None' },
          { value: 'zstd', label: 'zstd' },
          { value: 'lzo', label: 'LZO', help: 'Less compression, less work.' },
        ],
      }),
    },
    // mkfs.btrfs refuses less than about 110 MiB; below this hardly anything would be left for data.
    minimumDriveBytes: 256 * MIB,
    check: (context) =>
      sdk.checkPrograms(
        context,
        [
          { program: sdk.WIPEFS, argv: ['--version'], package: 'util-linux' },
          { program: BTRFS, argv: ['--version'], package: 'btrfs-progs' },
          { program: MKFS_BTRFS, argv: ['--version'], package: 'btrfs-progs' },
        ],
        ['btrfs'],
      ),
    usableBytes,
    ...plans,
    snapshots: { ...snapshots, ...snapshotReadings(subvolumes) },
    ...memberPlansOf(sdk, ID),
    ...upkeepPlansOf(sdk, ID),
    refusal,
    status: (context, spec) => status(context, spec, parsers),
    find: finderOf(sdk),
    looks: {
      members: looks.members,
      label: looks.label,
      ...workLooks(parsers),
      ...subvolumeLooks(subvolumes),
    },
  });
};
