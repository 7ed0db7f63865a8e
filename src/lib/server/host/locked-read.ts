/**
 * Programs that look at a drive, holding its shared advisory lock: an open partition cannot be taken away, so those who
 * look and those who change partitions take turns, udev's workers among them.
 * Source: systemd, "Locking Block Device Access".
 */
import { AppError } from '../errors';
import { sayCommand } from './environment';
import { PROGRAMS } from './programs';
import { wholeDevice } from './sysfs';
import { kernelNameOf } from './system-drives';
import type { CommandOutput, CommandRunner } from './types';

/** EX_IOERR and EX_TEMPFAIL of sysexits.h: the node could not be read; the drive was not free in time. */
const NOT_READABLE = 74;
const NOT_FREE = 75;
const LOCK_SECONDS = 20;
const TIMEOUT_MS = 30_000;
const ANY_EXIT_CODE = Array.from({ length: 256 }, (_, code) => code);

// flock(1) would do, if it did not create what it is asked to lock: for a drive that was just pulled that leaves a plain
// file in /dev, in the way of the next drive's node. The two reads are there because blkid answers "nothing" for a node
// that it cannot read.
const SHARED_LOCK = `
use strict;
$^F = 255;
my ($drive, $node) = (shift, shift);
open my $lock, '<', $drive or unreadable($drive);
$SIG{ALRM} = sub { exit ${NOT_FREE} };
alarm ${LOCK_SECONDS};
flock $lock, 1 or exit ${NOT_FREE};
alarm 0;
open my $device, '<', $node or unreadable($node);
for my $at (0, 65536) {
  sysseek $device, $at, 0;
  defined sysread $device, my $bytes, 4096 or unreadable($node);
}
close $device;
exec { $ARGV[0] } @ARGV;
exit 127;
sub unreadable { print STDERR "$!"; exit ${NOT_READABLE} }
`.trim();

/**
 * @param path a drive, a partition of it, or a plain file; appended to argv after `--`
 * @throws AppError command_failed when the node cannot be read, or the exit code is not one of okExitCodes
 */
export async function readLocked(
  commands: Pick<CommandRunner, 'read'>,
  program: string,
  argv: string[],
  path: string,
  okExitCodes: number[],
): Promise<CommandOutput> {
  const name = kernelNameOf(path);
  const drivePath = name === null ? path : `/dev/${wholeDevice(name)}`;
  const words = [...argv, '--', path];
  const output = await commands.read(PROGRAMS.perl, ['-e', SHARED_LOCK, drivePath, path, program, ...words], {
    timeoutMs: TIMEOUT_MS,
    okExitCodes: ANY_EXIT_CODE,
  });
  const { exitCode, stderr } = output;
  if (okExitCodes.includes(exitCode)) return output;
  const details = { argv: [program, ...words], exitCode, stderr: stderr.trim().slice(-1_000) };
  if (exitCode === NOT_READABLE)
    throw new AppError('command_failed', `${path} cannot be read: ${details.stderr}.`, {
      details,
      remedy: 'Check the cable and the health of the drive.',
    });
  if (exitCode === NOT_FREE)
    throw new AppError(
      'command_failed',
      `${path} was busy for ${LOCK_SECONDS} seconds: another program changes it.`,
      {
        details,
      },
    );
  throw new AppError('command_failed', `${sayCommand(program, words)} ended with exit code ${exitCode}.`, {
    details,
  });
}
