/**
 * Can the host really give this much memory? What the kernel promises (MemAvailable) counts caches that may not come back, so
 * it is tried: the memory is taken, piece by piece, written to, and given back. Whoever does that says to be the first to be
 * ended when memory gets short (proc(5), oom_score_adj), and stops before it does: nobody else pays for the trial.
 */
import type { TryMemoryAction } from '$lib/plugin-api/plan';

/** Never taken: what the others on the host go on with meanwhile. */
const LEFT_BYTES = 128 * 1024 ** 2;

/** Slower than any host takes memory. */
const BYTES_IN_A_MS = 512 * 1024;
export const trialTimeMs = ({ bytes }: TryMemoryAction): number => 30_000 + Math.ceil(bytes / BYTES_IN_A_MS);

const SCRIPT = String.raw`
use strict;
my ($bytes, $left, $into) = @ARGV;
open my $score, '>', '/proc/self/oom_score_adj' or die "oom_score_adj: $!\n";
print $score 1000;
close $score or die "oom_score_adj: $!\n";
sub available {
  open my $info, '<', '/proc/meminfo' or die "/proc/meminfo: $!\n";
  while (<$info>) { return $1 * 1024 if /^MemAvailable:\s+(\d+) kB/ }
  die "/proc/meminfo has no MemAvailable\n";
}
my @held;
my $got = 0;
while ($got < $bytes) {
  my $there = available() - $left;
  if ($there < $bytes - $got) {
    printf STDERR "Only %d of %d MiB of memory can be had now.\n",
      ($there < 0 ? $got : $got + $there) / 1048576, $bytes / 1048576;
    exit 3;
  }
  my $size = $bytes - $got < 67108864 ? $bytes - $got : 67108864;
  vec($held[@held], $size - 1, 8) = 1;
  $got += $size;
}
open my $note, '>', $into or die "$into: $!\n";
close $note or die "$into: $!\n";
`;

export const tryMemoryArguments = ({ bytes, into }: TryMemoryAction): string[] => [
  ...['-e', SCRIPT, '--', String(bytes), String(LEFT_BYTES), into],
];
