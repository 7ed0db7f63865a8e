/** Programs the lab needs on the machine that runs it, as [program, Debian package]; see installPrograms. */
import { installPrograms } from '../../src/setup.mjs';

export const LAB_PROGRAMS = [
  ['mmdebstrap', 'mmdebstrap'],
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['qemu-img', 'qemu-utils'],
  ['cpio', 'cpio'],
  ['mke2fs', 'e2fsprogs'],
  ['setpriv', 'util-linux'],
  // No program: what the packages of the guest are checked with, on a machine that is not Debian.
  ['../share/keyrings/debian-archive-keyring.gpg', 'debian-archive-keyring'],
];

/** Installs what is missing through apt; quick when nothing is. */
export const installLabTools = () => installPrograms(LAB_PROGRAMS);
