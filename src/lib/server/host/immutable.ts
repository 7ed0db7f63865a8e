/**
 * The attribute that keeps everybody, root included, from writing into a folder (chattr +i): an empty mount point has it,
 * so that nothing fills the drive below while its pool is not mounted. Sources: ioctl_iflags(2), open_tree(2).
 *
 * It belongs to the folder of the filesystem below. To reach that one also while a pool is mounted there, the mount that
 * holds the folder's parent is cloned without those below it. What a dead server does not answer hangs in a program of its
 * own, which is ended.
 */
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { PROGRAMS } from './programs';
import type { Host } from './types';

/** Says `set`, `clear`, `none` (no such folder) or `unknown` (its filesystem has no such attribute). */
const SCRIPT = `
use strict; use Fcntl; use Errno qw(ENOENT ENOTDIR ENOTTY EOPNOTSUPP EINVAL ENOSYS);
my ($path, $want) = @ARGV;
my ($GET, $SET, $IMMUTABLE, $OPEN_TREE, $CLONE_CLOEXEC) = (0x80086601, 0x40086602, 0x10, 428, 02000001);
sub say_and_end { print "$_[0]\\n"; exit 0 }
my ($parent, $name) = $path =~ m{^(.*)/([^/]+)$}s or die "$path is no absolute path\\n";
$parent = '/' if $parent eq '';
my $tree = syscall($OPEN_TREE, -100, $parent, $CLONE_CLOEXEC);
if ($tree < 0) { say_and_end('none') if $!{ENOENT} || $!{ENOTDIR}; die "open_tree $parent: $!\\n" }
unless (sysopen(my $folder, "/proc/self/fd/$tree/$name", O_RDONLY | O_DIRECTORY | O_NOFOLLOW)) {
  say_and_end('none') if $!{ENOENT} || $!{ENOTDIR};
  die "open $path: $!\\n";
} else {
  my $flags = pack('L!', 0);
  unless (ioctl($folder, $GET, $flags)) {
    say_and_end('unknown') if $!{ENOTTY} || $!{EOPNOTSUPP} || $!{EINVAL} || $!{ENOSYS};
    die "read attributes of $path: $!\\n";
  }
  my $now = unpack('L', $flags);
  if ($want ne 'look') {
    my $next = $want eq 'set' ? $now | $IMMUTABLE : $now & ~$IMMUTABLE;
    my $packed = pack('L!', $next);
    if ($next != $now && !ioctl($folder, $SET, $packed)) {
      say_and_end('unknown') if $!{ENOTTY} || $!{EOPNOTSUPP} || $!{EINVAL};
      die "change attributes of $path: $!\\n";
    }
    $now = $next;
  }
  say_and_end($now & $IMMUTABLE ? 'set' : 'clear');
}
`;
const TIMEOUT_MS = 5_000;

export const immutableArguments = (path: string, want: 'set' | 'clear' | 'look'): string[] => [
  '-e',
  SCRIPT,
  '--',
  path,
  want,
];

const lookArguments = z.object({ path: z.string(), on: z.boolean() });

/** A filesystem without the attribute (tmpfs, a share) has nothing to be set or taken away: both are done there. */
export async function immutable(host: Pick<Host, 'commands'>, args: JsonObject): Promise<LookResult> {
  const { path, on } = lookArguments.parse(args);
  const argv = immutableArguments(path, 'look');
  const { stdout } = await host.commands.read(PROGRAMS.perl, argv, { timeoutMs: TIMEOUT_MS });
  switch (stdout.trim()) {
    case 'set':
      return {
        status: on ? 'done' : 'absent',
        evidence: `Nobody can write into the folder ${path} while nothing is mounted there.`,
      };
    case 'clear':
      return { status: on ? 'absent' : 'done', evidence: `The folder ${path} can be written into.` };
    case 'none':
      return { status: on ? 'absent' : 'done', evidence: `There is no folder ${path}.` };
    case 'unknown':
      return {
        status: 'done',
        evidence: `The filesystem that holds ${path} cannot protect a folder, so it is left as it is.`,
      };
    default:
      throw new AppError('parse_failed', `What guards the folder ${path} is not understood.`, {
        details: { output: stdout.slice(0, 200) },
      });
  }
}
