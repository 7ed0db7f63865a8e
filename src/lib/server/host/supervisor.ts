/**
 * The supervisor: a small perl program (perl-base is essential in Debian) that starts a command, keeps its output and
 * its exit status, and outlives us. Protocol and reasons are told at the top of command.ts.
 */

import { systemCalls } from './system-calls';

/** Kept of one command's output; what comes after is counted, not kept, so that no program can fill the disk. */
export const RECORD_LIMIT_BYTES = 16 * 1024 ** 2;
/** A longer line is kept as several. */
export const LINE_LIMIT_BYTES = 8_192;
/** How long an open pipe may outlive the command: a daemon that it started may hold it for ever. */
const PIPE_GRACE_MS = 500;
/** How long a command may wait for its drive's lock; ends with EX_TEMPFAIL of sysexits.h, 75, after it. */
const LOCK_WAIT_MS = 20_000;
/** The supervisor's own time limit is this much later than ours: it decides only when we are gone. */
export const SUPERVISOR_SLACK_MS = 2_000;

const SCRIPT = String.raw`
use strict;
my ($record, $limit, $drive, $program, @argv) = @ARGV;
$SIG{$_} = sub { } for qw(TERM INT HUP PIPE);
open my $out, '>>', $record or exit 126;
my ($kept, $torn, $full) = (0, 0, 0);

sub now {
  my $time = pack 'q2', 0, 0;
  syscall GETTIMEOFDAY, $time, 0;
  my ($seconds, $micros) = unpack 'q2', $time;
  return $seconds * 1000 + int($micros / 1000);
}
sub put {
  my ($text) = @_;
  $text = "\n$text" if $torn;
  my $written = syswrite $out, $text;
  $torn = defined $written && $written > 0 && $written < length $text;
}
sub escaped {
  my ($text) = @_;
  $text =~ s/([\\\x00-\x08\x0a-\x1f\x7f])/sprintf '\\x%02x', ord $1/ge;
  return $text;
}
sub keep {
  my ($stream, @lines) = @_;
  return if $full || !@lines;
  my $now = now();
  my $text = join '', map { "$stream $now " . escaped($_) . "\n" } @lines;
  if (($kept += length $text) > RECORD_LIMIT) {
    $full = 1;
    $text = "E $now [more output than Cairn keeps; the rest is left out]\n";
  }
  put($text);
}
sub finish {
  my ($exit, $signal) = @_;
  put('X ' . now() . " $exit $signal\n");
  syscall FSYNC, fileno $out;
}

# Standard input: "<length>\n", that many bytes for the command, then one byte once our identity is committed.
my $in = '';
sub need {
  my ($length) = @_;
  while (length $in < $length) {
    my $count = sysread STDIN, $in, 65536, length $in;
    next if !defined $count && $! == 4;
    return 0 unless $count;
  }
  return 1;
}
sub stay {
  keep('E', 'Cairn ended before the command could begin; it was not run.');
  finish(125, '-');
  exit 0;
}
until ($in =~ /\n/) { need(1 + length $in) or stay() }
$in =~ s/^(\d+)\n// or stay();
my $size = $1;
need($size + 1) or stay();

my $text;
if ($size) {
  open $text, '+>', "$record.stdin" or stay();
  unlink "$record.stdin";
  syswrite $text, substr($in, 0, $size);
  sysseek $text, 0, 0;
} else {
  open $text, '<', '/dev/null' or stay();
}

# Alone on the drive, for what changes partitions: udev's workers and our own probes hold the lock while they look.
# Opened for reading only, and never created: the drive may have been pulled.
my $lock;
if ($drive ne '') {
  my $until = now() + LOCK_WAIT;
  my $why = open($lock, '<', $drive) ? '' : "cannot open $drive: $!";
  until ($why || flock $lock, 6) {
    if (now() > $until) { $why = "$drive is busy: somebody holds its lock" } else { select undef, undef, undef, 0.01 }
  }
  if ($why) { keep('E', $why); finish(75, '-'); exit 0 }
}

pipe(my $stdout, my $stdoutEnd) && pipe(my $stderr, my $stderrEnd) or stay();
my $child = fork;
stay() unless defined $child;
if (!$child) {
  $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP PIPE);
  open STDIN, '<&', $text;
  open STDOUT, '>&', $stdoutEnd;
  open STDERR, '>&', $stderrEnd;
  { no warnings; exec { $program } $program, @argv; }
  syswrite STDERR, "cannot run $program: $!\n";
  exit 127;
}
close $_ for $stdoutEnd, $stderrEnd, $text;

my %pipe = (O => $stdout, E => $stderr);
my %rest = (O => '', E => '');
my ($status, $grace, $pause, $ending) = (undef, 0, 0.0005, 0);
my $deadline = now() + $limit;
while (1) {
  if (!defined $status && waitpid($child, 1) == $child) { $status = $?; $grace = now() + PIPE_GRACE }
  last if defined $status && (!%pipe || now() >= $grace);
  if (!defined $status && now() >= $deadline) {
    kill 'CONT', -$$;
    if ($ending++) { kill 'KILL', $child } else { kill 'TERM', -$$ }
    $deadline = now() + 2000;
  }
  my $bits = '';
  vec($bits, fileno $_, 1) = 1 for values %pipe;
  # A closed pipe means that the end is near: look again at once, then less and less often.
  my $wait = %pipe ? 0.1 : ($pause = $pause < 0.05 ? $pause * 2 : 0.05);
  next unless select(my $ready = $bits, undef, undef, $wait) > 0;
  for my $stream (sort { $b cmp $a } keys %pipe) {
    next unless vec($ready, fileno $pipe{$stream}, 1);
    my $count = sysread $pipe{$stream}, $rest{$stream}, 65536, length $rest{$stream};
    next if !defined $count && $! == 4;
    if (!$count) { delete $pipe{$stream}; next }
    if ($full) { $rest{$stream} = ''; next }
    my @lines = map { length > LINE_LIMIT ? unpack('(a[LINE_LIMIT])*', $_) : $_ } split /\n/, $rest{$stream}, -1;
    $rest{$stream} = pop @lines;
    keep($stream, @lines);
  }
}
for my $stream ('O', 'E') { keep($stream, $rest{$stream}) if length $rest{$stream} }
my $signal = $status & 127;
finish($signal ? '-' : $status >> 8, $signal || '-');
kill 'KILL', -$$ if $ending;
exit 0;
`;

/**
 * The script for this machine, as one argument for `perl -e`.
 * @throws TypeError on a processor that Cairn is not built for
 */
export function supervisorScript(architecture: NodeJS.Architecture = process.arch): string {
  const calls = systemCalls(architecture);
  return SCRIPT.replaceAll('GETTIMEOFDAY', String(calls.gettimeofday))
    .replaceAll('FSYNC', String(calls.fsync))
    .replaceAll('RECORD_LIMIT', String(RECORD_LIMIT_BYTES))
    .replaceAll('LINE_LIMIT', String(LINE_LIMIT_BYTES))
    .replaceAll('LOCK_WAIT', String(LOCK_WAIT_MS))
    .replaceAll('PIPE_GRACE', String(PIPE_GRACE_MS))
    .trim();
}
