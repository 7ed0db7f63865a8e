/**
 * Programs that look at a drive, holding its shared advisory lock: an open partition cannot be taken away, so those who
 * look and those who change partitions take turns, udev's workers among them.
 * Source: systemd, "Locking Block Device Access".
 */
import { AppError } from '../errors';
import { sayCommand } from './environment';
import { PROGRAMS } from './programs';
import { wholeDevice } from './sysfs';
import { systemCalls } from './system-calls';
import { kernelNameOf } from './system-drives';
import type { CommandRunner } from './types';

/** EX_IOERR and EX_TEMPFAIL of sysexits.h: the node could not be read; the drive was not free in time. */
const NOT_READABLE = 74;
const NOT_FREE = 75;
const LOCK_SECONDS = 20;
const TIMEOUT_MS = 30_000;

// flock(1) would do, if it did not create what it is asked to lock: for a drive that was just pulled that leaves a plain
// file in /dev, in the way of the next drive's node. The two reads are there because blkid answers "nothing" for a node
// that it cannot read. One lock and one process serve several programs: starting them is most of what a look costs.
// Who looks dies with Cairn, and the programs with it: PR_SET_PDEATHSIG of prctl(2), which a fork does not inherit.
// Arguments: drive, node, then for each program the number of its words and the words. Answer: `<exit code>\0<output>\0`.
const SCRIPT = String.raw`
use strict;
$^F = 255;
sub mortal { syscall PRCTL, 1, 9 }
mortal();
my ($drive, $node) = (shift, shift);
open my $lock, '<', $drive or unreadable($drive);
$SIG{ALRM} = sub { exit NOT_FREE };
alarm LOCK_SECONDS;
flock $lock, 1 or exit NOT_FREE;
alarm 0;
open my $device, '<', $node or unreadable($node);
for my $at (0, 65536) {
  sysseek $device, $at, 0;
  defined sysread $device, my $bytes, 4096 or unreadable($node);
}
close $device;
$| = 1;
while (@ARGV) {
  my $count = shift;
  my @command = splice @ARGV, 0, $count;
  my $child = open my $output, '-|';
  exit 126 unless defined $child;
  if (!$child) {
    mortal();
    { no warnings; exec { $command[0] } @command; }
    exit 127;
  }
  my $text = do { local $/; <$output> };
  close $output;
  my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
  $text = '' unless defined $text;
  print "$exit\0$text\0";
}
exit 0;
sub unreadable { print STDERR "$!"; exit NOT_READABLE }
`.trim();

let script: string | null = null;
const lockedScript = (): string =>
  (script ??= SCRIPT.replaceAll('PRCTL', String(systemCalls().prctl))
    .replaceAll('NOT_FREE', String(NOT_FREE))
    .replaceAll('NOT_READABLE', String(NOT_READABLE))
    .replaceAll('LOCK_SECONDS', String(LOCK_SECONDS)));

/** A program that looks at a node; the node's path is added to its arguments after `--`. */
export interface Question {
  program: string;
  argv: string[];
  okExitCodes: number[];
}
export interface Reply {
  stdout: string;
  exitCode: number;
}

/**
 * Asks several programs about one node, one after the other under one lock.
 * @param path a drive, a partition of it, or a plain file
 * @returns a reply for each question, in their order
 * @throws AppError command_failed when the node cannot be read, or an exit code is not one of okExitCodes
 */
export async function readLocked(
  commands: Pick<CommandRunner, 'read'>,
  path: string,
  questions: Question[],
): Promise<Reply[]> {
  const name = kernelNameOf(path);
  const drivePath = name === null ? path : `/dev/${wholeDevice(name)}`;
  const lines = questions.map(({ program, argv }) => [program, ...argv, '--', path]);
  const words = lines.flatMap((line) => [String(line.length), ...line]);
  const { exitCode, stdout, stderr } = await commands.read(
    PROGRAMS.perl,
    ['-e', lockedScript(), drivePath, path, ...words],
    { timeoutMs: TIMEOUT_MS, okExitCodes: [0, NOT_READABLE, NOT_FREE], endsWithUs: true },
  );
  const details = { argv: lines.flat(), exitCode, stderr: stderr.trim().slice(-1_000) };
  if (exitCode === NOT_READABLE)
    throw new AppError('command_failed', `${path} cannot be read: ${details.stderr}.`, {
      details,
      remedy: 'Check the cable and the health of the drive.',
    });
  if (exitCode === NOT_FREE)
    throw new AppError(
      'command_failed',
      `${path} was busy for ${LOCK_SECONDS} seconds: another program changes it.`,
      { details },
    );
  const parts = stdout.split('\0');
  if (parts.length !== questions.length * 2 + 1)
    throw new AppError('parse_failed', `What was read from ${path} is not complete.`, { details });
  return questions.map(({ program, argv, okExitCodes }, index) => {
    const reply = { exitCode: Number(parts[index * 2]), stdout: parts[index * 2 + 1] ?? '' };
    if (okExitCodes.includes(reply.exitCode)) return reply;
    throw new AppError(
      'command_failed',
      `${sayCommand(program, [...argv, '--', path])} ended with exit code ${reply.exitCode}.`,
      { details: { ...details, argv: lines[index] ?? [], exitCode: reply.exitCode } },
    );
  });
}
