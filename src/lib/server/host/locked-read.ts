/**
 * Programs that look at a drive, holding its shared advisory lock: an open partition cannot be taken away, so those who
 * look and those who change partitions take turns, udev's workers among them.
 * Source: systemd, "Locking Block Device Access".
 */
import { AppError, toAppError } from '../errors';
import { sayCommand } from './environment';
import { PROGRAMS } from './programs';
import { createReaders, type Readers } from './readers';
import { wholeDevice } from './sysfs';
import { systemCalls } from './system-calls';
import { kernelNameOf } from './system-drives';
import type { CommandRunner } from './types';

const LOCK_SECONDS = 20;
const TIMEOUT_MS = 30_000;

// flock(1) would do, if it did not create what it is asked to lock: for a drive that was just pulled that leaves a plain
// file in /dev, in the way of the next drive's node. The two reads are there because blkid answers "nothing" for a node
// that it cannot read. One lock serves several programs.
// Who looks dies with Cairn, and the programs with it: PR_SET_PDEATHSIG of prctl(2), which a fork does not inherit.
// Question: drive, node, then for each program the number of its words and the words. Answer: `ok`, then exit code and
// output of each; `unreadable` and why; `busy`.
const SCRIPT = String.raw`
use strict;
$^F = 255;
sub mortal { syscall PRCTL, 1, 9 }
mortal();
$| = 1;
while (defined(my $line = <STDIN>)) {
  chomp $line;
  my @words = map { $_ eq '-' ? '' : pack 'H*', $_ } split / /, $line;
  print join(' ', map { $_ eq '' ? '-' : unpack 'H*', $_ } look(@words)), "
";
}
sub look {
  my ($drive, $node) = (shift, shift);
  open my $lock, '<', $drive or return ('unreadable', "$!");
  my $held = eval {
    local $SIG{ALRM} = sub { die };
    alarm LOCK_SECONDS;
    my $got = flock $lock, 1;
    alarm 0;
    $got;
  };
  return ('busy') unless $held;
  open my $device, '<', $node or return ('unreadable', "$!");
  for my $at (0, 65536) {
    sysseek $device, $at, 0;
    defined sysread $device, my $bytes, 4096 or return ('unreadable', "$!");
  }
  close $device;
  my @answer = ('ok');
  while (@_) {
    my $count = shift;
    my @command = splice @_, 0, $count;
    my $child = open my $output, '-|';
    return ('unreadable', "$!") unless defined $child;
    if (!$child) {
      mortal();
      open STDIN, '<', '/dev/null';
      { no warnings; exec { $command[0] } @command; }
      exit 127;
    }
    my $text = do { local $/; <$output> };
    close $output;
    my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    push @answer, $exit, defined $text ? $text : '';
  }
  return @answer;
}
`.trim();

export const createDriveReaders = (): Readers =>
  createReaders(PROGRAMS.perl, () => [
    '-e',
    SCRIPT.replaceAll('PRCTL', String(systemCalls().prctl)).replaceAll('LOCK_SECONDS', String(LOCK_SECONDS)),
  ]);

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
  commands: Pick<CommandRunner, 'readers'>,
  path: string,
  questions: Question[],
  timeoutMs = TIMEOUT_MS,
): Promise<Reply[]> {
  const name = kernelNameOf(path);
  const drivePath = name === null ? path : `/dev/${wholeDevice(name)}`;
  const lines = questions.map(({ program, argv }) => [program, ...argv, '--', path]);
  const words = lines.flatMap((line) => [String(line.length), ...line]);
  const details = { argv: lines.flat() };
  const [status, ...answers] = await commands.readers
    .ask([drivePath, path, ...words], timeoutMs)
    .catch((error: unknown) => {
      const { code, message } = toAppError(error);
      throw new AppError(code, `${path} could not be looked at: ${message}`, {
        details,
        remedy: 'Check the cable and the health of the drive.',
        cause: error,
      });
    });
  if (status === 'unreadable')
    throw new AppError('command_failed', `${path} cannot be read: ${answers[0] ?? ''}.`, {
      details,
      remedy: 'Check the cable and the health of the drive.',
    });
  if (status === 'busy')
    throw new AppError(
      'command_failed',
      `${path} was busy for ${LOCK_SECONDS} seconds: another program changes it.`,
      { details },
    );
  if (status !== 'ok' || answers.length !== questions.length * 2)
    throw new AppError('parse_failed', `What was read from ${path} is not complete.`, { details });
  return questions.map(({ program, argv, okExitCodes }, index) => {
    const reply = { exitCode: Number(answers[index * 2]), stdout: answers[index * 2 + 1] ?? '' };
    if (okExitCodes.includes(reply.exitCode)) return reply;
    throw new AppError(
      'command_failed',
      `${sayCommand(program, [...argv, '--', path])} ended with exit code ${reply.exitCode}.`,
      { details: { argv: lines[index] ?? [], exitCode: reply.exitCode } },
    );
  });
}
