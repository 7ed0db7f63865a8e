/**
 * Changes of arrays. A member that fails, or work that begins or ends, raises no event of the array's block device: the
 * kernel marks /proc/mdstat with POLLPRI instead, until it has been read again. Perl can wait for that; it is always there.
 */
import type { Watch } from '../../src/lib/plugin-api/storage';

const PERL = '/usr/bin/perl';

const SCRIPT = String.raw`
$| = 1;
open my $table, '<', '/proc/mdstat' or exit 1;
sub known { my $chunk; sysseek $table, 0, 0; 1 while sysread $table, $chunk, 65536; }
known;
while (1) {
  my ($gone, $changed) = ('', '');
  vec($gone, 0, 1) = 1;
  vec($changed, fileno $table, 1) = 1;
  next unless select($gone, undef, $changed, undef) > 0;
  exit 0 if vec($gone, 0, 1);
  next unless vec($changed, fileno $table, 1);
  known;
  print "changed\n";
}
`.trim();

export const MDSTAT = '/proc/mdstat';
export const watch: Watch = { program: PERL, argv: ['-e', SCRIPT], needs: MDSTAT };
