/** Absolute paths of the programs that the core runs. Debian's /usr is merged: /sbin and /bin lead to the same files. */
export const PROGRAMS = {
  blkid: '/usr/sbin/blkid',
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

/** EX_IOERR and EX_TEMPFAIL of sysexits.h: the drive could not be opened; it was not free in time. */
const NOT_OPENED = 74;
const NOT_FREE = 75;
const LOCK_SECONDS = 20;

// flock(1) would do, if it did not create what it is asked to lock: for a drive that was just pulled that leaves a plain
// file in /dev, in the way of the next drive's node.
const SHARED_LOCK = `
use strict;
$^F = 255;
my $drive = shift;
open my $lock, '<', $drive or exit ${NOT_OPENED};
$SIG{ALRM} = sub { exit ${NOT_FREE} };
alarm ${LOCK_SECONDS};
flock $lock, 1 or exit ${NOT_FREE};
alarm 0;
exec { $ARGV[0] } @ARGV;
exit 127;
`.trim();

/**
 * A command that only looks, holding the shared advisory lock of the whole drive: an open partition cannot be taken
 * away, so those who look and those who change partitions take turns, udev's workers among them.
 * Source: systemd, "Locking Block Device Access".
 */
export const lockedShared = (
  drivePath: string,
  program: string,
  argv: string[],
): { program: string; argv: string[] } => ({
  program: PROGRAMS.perl,
  argv: ['-e', SHARED_LOCK, drivePath, program, ...argv],
});

/** A command that changes partitions, alone on the drive. udevadm(8) lock, systemd 251 and later. */
export const lockedAlone = (
  drivePath: string,
  program: string,
  argv: string[],
): { program: string; argv: string[] } => ({
  program: PROGRAMS.udevadm,
  argv: ['lock', `--device=${drivePath}`, `--timeout=${LOCK_SECONDS}`, program, ...argv],
});
