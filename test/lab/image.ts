/** The guest's image and its saved, booted state: both made once and kept. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { cachedFolder, inputsBelow, labFolder, type Input } from './cache.ts';
import { choosePort, makeDrive, type DriveSpec } from './drives.ts';
import { plug, unplug } from './plug.ts';
import type { Power } from './power.ts';
import { runProgram } from './program.ts';
import { fixedArguments, KERNEL_WORDS, QEMU, type Start } from './qemu.ts';
import { switchOn } from './switch-on.ts';
import { installLabTools } from './tools.mjs';
import { ensureZfs, INSTALL_ZFS } from './zfs.ts';

export interface Image {
  root: string;
  kernel: string;
  initrd: string;
}
/** A running guest that was saved, to go on from. */
export interface Saved {
  /** Frozen root drive at the moment of the save; an overlay over the image. */
  root: string;
  state: string;
  /** What was in it, in the order of their ports; each copy of the guest needs a copy of those that are written to. */
  drives: DriveSpec[];
}
export interface Golden extends Saved {
  image: Image;
}

/** Once, so that every restored copy has the modules and programs in its memory already. */
const WARM = `
systemctl is-system-running --wait
modprobe -a raid0 raid1 raid10 raid456 dm_mod dm_raid dm_thin_pool btrfs xfs loop sg squashfs nvme
for program in mdadm lsblk blkid wipefs sfdisk findmnt mkfs.ext4 mkfs.xfs mkfs.btrfs lvm udevadm smartctl perl socat; do
  $program --version >/dev/null 2>&1
done
udevadm settle
sync
`;
/** Drives on this controller may be put in before a restored guest looks at it for the first time. */
const UNSEEN_SATA = ['modprobe.blacklist=ata_piix'];
/** Seconds on an idle machine. */
const WARM_MS = 600_000;
const STATE = 'state';
const ROOT = 'root.qcow2';

const imageInputs = async (): Promise<Input[]> =>
  (
    await Promise.all(
      ['build-image.sh', 'initrd-init', 'packages.txt', 'guest'].map((name) =>
        inputsBelow(`test/lab/${name}`),
      ),
    )
  ).flat();

const imageIn = (folder: string): Image => ({
  root: join(folder, 'root.raw'),
  kernel: join(folder, 'vmlinuz'),
  initrd: join(folder, 'initrd.gz'),
});

/** A copy-on-write drive over another; the path is relative, so that the checkout can be moved. */
export async function overlay(file: string, base: string): Promise<void> {
  await rm(file, { force: true });
  const format = base.endsWith('.raw') ? 'raw' : 'qcow2';
  const backing = ['-b', relative(dirname(file), base), '-F', format];
  await runProgram('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, file]);
}

async function imageFolder(): Promise<string> {
  installLabTools();
  return cachedFolder('image', await imageInputs(), async (folder) => {
    await runProgram('/usr/bin/nice', ['-n', '15', join(labFolder, 'build-image.sh'), folder]);
  });
}

export const ensureImage = async (): Promise<Image> => imageIn(await imageFolder());

async function installZfs(power: Power, zfs: DriveSpec, folder: string): Promise<void> {
  const drive = await makeDrive(zfs, 0, folder);
  drive.port = choosePort(drive, []);
  await plug(power.qmp, drive);
  const { code, out } = await power.guest.run(INSTALL_ZFS, WARM_MS);
  if (code !== 0) throw new Error(`ZFS could not be installed in the guest: ${out}`);
  await unplug(power.qmp, drive);
  await power.guest.run('udevadm settle; sync', WARM_MS);
}

/**
 * Builds, boots and saves whatever of it is not there yet.
 * @param options.zfs another saved guest, which has ZFS too: compiled first when nobody has done it yet
 */
export async function ensureGolden({ zfs: withZfs = false } = {}): Promise<Golden> {
  const folder = await imageFolder();
  const image = imageIn(folder);
  const version = await runProgram(QEMU, ['--version']);
  const inputs: Input[] = [
    { name: 'image', content: basename(folder) },
    { name: 'qemu', content: version },
    { name: 'arguments', content: JSON.stringify([fixedArguments(), KERNEL_WORDS, WARM, UNSEEN_SATA]) },
  ];
  const zfs = withZfs ? await ensureZfs(image.root) : null;
  if (zfs?.file) inputs.push({ name: 'zfs', content: basename(dirname(zfs.file)) + INSTALL_ZFS });
  const golden = await cachedFolder('golden', inputs, async (unfinished) => {
    const root = join(unfinished, ROOT);
    const prepare = async (): Promise<Start> => {
      await overlay(root, image.root);
      return {
        folder: unfinished,
        kernel: image.kernel,
        initrd: image.initrd,
        rootOverlay: root,
        drives: [],
        kernelWords: UNSEEN_SATA,
      };
    };
    let power: Power | undefined;
    try {
      power = await switchOn(prepare, (started) => (power = started));
      const warmed = await power.guest.run(WARM, WARM_MS);
      if (warmed.code !== 0) throw new Error(`The guest could not be made ready: ${warmed.out}`);
      if (zfs) await installZfs(power, zfs, unfinished);
      await power.save(join(unfinished, STATE));
    } finally {
      await power?.cut();
    }
  });
  return { image, root: join(golden, ROOT), state: join(golden, STATE), drives: [] };
}
