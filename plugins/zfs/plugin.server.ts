/** ZFS: checksums, snapshots, mirrors and raidz, with spares, caches and separate logs. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { find } from './find';
import { fewestDrives, tolerance, usableBytes, type LayoutId } from './layout';
import { looksOf } from './looks';
import { ID, plansOf } from './plan';
import { changesOf, refusal } from './plan-change';
import { snapshotsOf } from './plan-snapshots';
import { parsersOf } from './reading';
import { status, usage } from './status';
import { UDEVADM, ZDB, ZFS, ZPOOL } from './zfs';

const MIB = 1024 ** 2;
/** Its licence keeps it out of the kernel: the module is compiled on the machine. */
const ZFS_MODULE =
  'Add the section contrib to the sources of apt, then: apt-get install linux-headers-amd64 zfs-dkms zfsutils-linux (linux-headers-arm64 on arm64), and modprobe zfs.';
/** Any namespace will do, as long as it is always the same one. */
const FOUND = '6f9d6b0e-3c55-4d0a-9a1e-0d5a5f0c2f7b';

const layout = (id: LayoutId, title: string, description: string) => ({
  id,
  title,
  description,
  minDrives: fewestDrives(id),
  maxDrives: null,
  tolerance: (count: number) => tolerance(id, count),
});

export default (sdk: PluginSdk) => {
  const parsers = parsersOf(sdk.defineParser);
  return sdk.defineStoragePlugin({
    api: 1,
    kind: 'storage',
    id: ID,
    name: 'ZFS',
    version: '0.1.0',
    young: true,
    description:
      'Checksums on all data, snapshots, compression, and redundancy from mirrors to three drives of parity.',
    programs: [sdk.WIPEFS, sdk.SFDISK, UDEVADM, ZPOOL, ZFS, ZDB],
    layouts: [
      layout('stripe', 'Stripe', 'The space of all drives together; the loss of one drive loses the pool.'),
      layout(
        'mirror',
        'Mirrors',
        'Pairs of drives with the same content; an odd drive makes the last pair a triple.',
      ),
      layout('raidz1', 'RAID-Z1', 'One drive of parity.'),
      layout('raidz2', 'RAID-Z2', 'Two drives of parity.'),
      layout('raidz3', 'RAID-Z3', 'Three drives of parity.'),
    ],
    roles: ['spare', 'cache', 'log'],
    options: {
      compression: sdk.select({
        label: 'Compression',
        help: 'lz4 costs next to nothing and is a good choice for everything.',
        default: 'lz4',
        choices: [
          { value: 'lz4', label: 'lz4' },
          { value: 'zstd', label: 'zstd', help: 'Smaller, more work.' },
          { value: 'off', label: 'None' },
        ],
      }),
      recordsize: sdk.select({
        label: 'Record size',
        help: 'Largest piece in which a file is stored. Large for media, small for databases and disks of VMs.',
        default: '128K',
        choices: ['16K', '32K', '64K', '128K', '256K', '512K', '1M'].map((value) => ({
          value,
          label: value,
        })),
      }),
      ashift: sdk.select({
        label: 'Sector size',
        help: 'Smallest piece that is written to a drive. It can never be changed.',
        default: '12',
        choices: [
          { value: '12', label: '4 KiB', help: 'Right for nearly every drive.' },
          { value: '13', label: '8 KiB', help: 'For some SSDs.' },
          { value: '9', label: '512 bytes', help: 'For old drives only.' },
          { value: 'auto', label: 'As the drive says' },
        ],
      }),
    },
    // ZFS takes no device below 64 MiB; what it keeps free for itself would leave nothing of so small a drive.
    minimumDriveBytes: 256 * MIB,
    check: (context) =>
      sdk.checkPrograms(
        context,
        [
          { program: sdk.SFDISK, argv: ['--version'], package: 'fdisk' },
          // zfs and zdb come with it.
          { program: ZPOOL, argv: ['version'], package: 'zfsutils-linux', okExitCodes: [0, 1] },
        ],
        [{ type: 'zfs', remedy: ZFS_MODULE }],
      ),
    usableBytes,
    ...plansOf(sdk),
    ...changesOf(sdk),
    refusal,
    find: (context) => find(context, parsers, (key) => sdk.derivedUuid(FOUND, key)),
    snapshots: snapshotsOf(sdk, parsers),
    status: (context, spec) => status(sdk, context, spec, parsers),
    watch: { program: ZPOOL, argv: ['events', '-f', '-H'], needs: '/sys/module/zfs' },
    usage: (context, spec) => usage(context, spec, parsers),
    looks: looksOf(parsers),
  });
};
