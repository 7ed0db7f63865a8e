/** Absolute paths of the programs that the core runs. Debian's /usr is merged: /sbin and /bin lead to the same files. */
export const PROGRAMS = {
  btrfs: '/usr/bin/btrfs',
  blkid: '/usr/sbin/blkid',
  ifdown: '/usr/sbin/ifdown',
  ifup: '/usr/sbin/ifup',
  ip: '/usr/bin/ip',
  losetup: '/usr/sbin/losetup',
  mount: '/usr/bin/mount',
  nsenter: '/usr/bin/nsenter',
  openssl: '/usr/bin/openssl',
  partx: '/usr/bin/partx',
  perl: '/usr/bin/perl',
  prlimit: '/usr/bin/prlimit',
  qemuImg: '/usr/bin/qemu-img',
  setpriv: '/usr/bin/setpriv',
  sfdisk: '/usr/sbin/sfdisk',
  smartctl: '/usr/sbin/smartctl',
  stat: '/usr/bin/stat',
  systemctl: '/usr/bin/systemctl',
  systemdRun: '/usr/bin/systemd-run',
  systemdUmount: '/usr/bin/systemd-umount',
  tar: '/usr/bin/tar',
  udevadm: '/usr/bin/udevadm',
  umount: '/usr/bin/umount',
  wipefs: '/usr/sbin/wipefs',
} as const;

export const CORE_PROGRAMS: readonly string[] = Object.values(PROGRAMS);
