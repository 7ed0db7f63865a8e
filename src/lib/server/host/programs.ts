/** Absolute paths of the programs that the core runs. Debian's /usr is merged: /sbin and /bin lead to the same files. */
export const PROGRAMS = {
  blkid: '/usr/sbin/blkid',
  flock: '/usr/bin/flock',
  losetup: '/usr/sbin/losetup',
  mount: '/usr/bin/mount',
  partx: '/usr/bin/partx',
  perl: '/usr/bin/perl',
  setpriv: '/usr/bin/setpriv',
  sfdisk: '/usr/sbin/sfdisk',
  systemdMount: '/usr/bin/systemd-mount',
  systemdUmount: '/usr/bin/systemd-umount',
  udevadm: '/usr/bin/udevadm',
  umount: '/usr/bin/umount',
  wipefs: '/usr/sbin/wipefs',
} as const;

export const CORE_PROGRAMS: readonly string[] = Object.values(PROGRAMS);

/** Exit code of a program that did not get its drive within LOCK_SECONDS: EX_TEMPFAIL of sysexits.h. */
const LOCK_TIMEOUT_EXIT = '75';
const LOCK_SECONDS = '20';

/**
 * A command that holds the whole drive's advisory lock while it runs: shared to look, exclusive to change partitions.
 * An open partition cannot be taken away, so whoever looks (udev's workers do the same) and whoever changes take turns.
 * Source: systemd, "Locking Block Device Access"; flock(1).
 */
export const locked = (
  kind: 'shared' | 'exclusive',
  drivePath: string,
  program: string,
  argv: string[],
): { program: string; argv: string[] } => ({
  program: PROGRAMS.flock,
  argv: [
    `--${kind}`,
    `--timeout=${LOCK_SECONDS}`,
    `--conflict-exit-code=${LOCK_TIMEOUT_EXIT}`,
    '--no-fork',
    drivePath,
    program,
    ...argv,
  ],
});
