/** Are the programs here, new enough, and has the kernel a device mapper? Changes nothing. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { Availability, PluginContext } from '../../src/lib/plugin-api/storage';
import { DUMPE2FS, E2LABEL, MKFS_EXT4, MKFS_XFS, RESIZE2FS, XFS_GROWFS, XFS_IO } from './filesystems';
import { DMSETUP, LVM, THIN_CHECK } from './lvm';

/** The first one with `--devices`, without which LVM cannot be kept to the pool's drives. */
const OLDEST = [2, 3, 12];

/** `LVM version:     2.03.16(2) (2022-05-18)`. */
function isNewEnough(text: string): boolean {
  const found = /^\s*LVM version:\s+(\d+)\.(\d+)\.(\d+)/m.exec(text)?.slice(1).map(Number);
  if (!found) throw new Error(`LVM does not say its version: ${text.slice(0, 200)}`);
  const at = found.findIndex((part, index) => part !== OLDEST[index]);
  return at === -1 || (found[at] ?? 0) > (OLDEST[at] ?? 0);
}

export async function check(sdk: PluginSdk, context: PluginContext): Promise<Availability> {
  const programs = await sdk.checkPrograms(
    context,
    [
      { program: sdk.WIPEFS, argv: ['--version'], package: 'util-linux' },
      // Says its version, then that it cannot reach the kernel; that is asked below.
      { program: LVM, argv: ['version'], package: 'lvm2', okExitCodes: [0, 5] },
      { program: DMSETUP, argv: ['version'], package: 'dmsetup', okExitCodes: [0, 1] },
      { program: THIN_CHECK, argv: ['-V'], package: 'thin-provisioning-tools' },
      { program: MKFS_EXT4, argv: ['-V'], package: 'e2fsprogs' },
      { program: E2LABEL, argv: [], package: 'e2fsprogs', okExitCodes: [0, 1] },
      { program: RESIZE2FS, argv: [], package: 'e2fsprogs', okExitCodes: [0, 1] },
      { program: DUMPE2FS, argv: ['-V'], package: 'e2fsprogs', okExitCodes: [0, 1] },
      { program: MKFS_XFS, argv: ['-V'], package: 'xfsprogs' },
      { program: XFS_IO, argv: ['-V'], package: 'xfsprogs' },
      { program: XFS_GROWFS, argv: ['-V'], package: 'xfsprogs' },
    ],
    ['ext4', 'xfs'],
  );
  if (!programs.available) return programs;
  const [version, kernel] = await Promise.all([
    context.read(LVM, ['version'], { okExitCodes: [0, 5] }),
    context.read(DMSETUP, ['version'], { okExitCodes: [0, 1] }),
  ]);
  if (!isNewEnough(version.stdout))
    return {
      available: false,
      reason: 'The installed LVM is older than 2.03.12, and cannot be kept to the drives of a pool.',
      remedy: 'Update the system (Debian 12 or later has a newer one).',
    };
  if (/^Driver version:/m.test(kernel.stdout)) return { available: true };
  return {
    available: false,
    reason: 'The running kernel has no device mapper, which LVM volumes are made of.',
    remedy:
      'Install a kernel that has it (Debian: apt-get install linux-image-amd64 or linux-image-arm64), then restart.',
  };
}
