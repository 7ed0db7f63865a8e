/**
 * ZFS for the guest, as an addition: compiling it takes ten minutes, so it is kept for as long as the guest's kernel is the
 * same, and only the cases that ask for it get a guest that has it.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedFolder, inputsBelow, labFolder, type Input } from './cache.ts';
import type { DriveSpec } from './drives.ts';
import { runProgram } from './program.ts';

const SERIAL = 'lab-zfs';

/** Done once, before the guest is saved. Kernel modules that are there but not loaded cost nothing. */
export const INSTALL_ZFS = `
set -e
mkdir -p /mnt/lab-zfs
mount -o ro "$(lab-drive ${SERIAL})" /mnt/lab-zfs
tar -C / -xf /mnt/lab-zfs/zfs-modules.tar
depmod -a
dpkg --install --force-depends /mnt/lab-zfs/*.deb
umount /mnt/lab-zfs
rmdir /mnt/lab-zfs
modprobe zfs
`;

/** `6.1.0-40-cloud-amd64`, from the list of packages beside the image. */
async function kernelOf(imageRoot: string): Promise<string> {
  const packages = await readFile(join(dirname(imageRoot), 'packages'), 'utf8');
  const match = /^linux-image-(\d\S+-cloud-amd64)\t/m.exec(packages);
  if (!match?.[1]) throw new Error('The image names no kernel.');
  return match[1];
}

async function inputs(kernel: string): Promise<Input[]> {
  return [{ name: 'kernel', content: kernel }, ...(await inputsBelow('test/lab/build-zfs.sh'))];
}

const asDrive = (folder: string): DriveSpec => ({
  serial: SERIAL,
  file: join(folder, 'zfs.raw'),
  readOnly: true,
});

/** The addition for the image's kernel, made when it is not there. @throws Error with the end of what the compiler said */
export async function ensureZfs(imageRoot: string): Promise<DriveSpec> {
  const kernel = await kernelOf(imageRoot);
  const folder = await cachedFolder('zfs', await inputs(kernel), async (unfinished) => {
    await runProgram('/usr/bin/nice', ['-n', '15', join(labFolder, 'build-zfs.sh'), unfinished, kernel]);
  });
  return asDrive(folder);
}
