/**
 * Changes of device-mapper devices. A copy that fails, or work that begins or ends, raises no uevent; the device mapper counts
 * such events, and whoever has armed /dev/mapper/control (DM_DEV_ARM_POLL) can wait until it has counted another one. Perl
 * can; it is always there. Sources: linux/dm-ioctl.h (struct dm_ioctl, version 4.37 or later), dm_poll of dm-ioctl.c.
 */
import type { Watch } from '../../src/lib/plugin-api/storage';

const PERL = '/usr/bin/perl';

const SCRIPT = String.raw`
$| = 1;
open my $control, '+<', '/dev/mapper/control' or exit 1;
sub arm { my $ask = pack('L5x292', 4, 0, 0, 312, 305); ioctl($control, 0xC138FD10, $ask) or exit 1; }
arm;
while (1) {
  my ($gone, $changed) = ('', '');
  vec($gone, 0, 1) = 1;
  vec($gone, fileno $control, 1) = 1;
  next unless select($gone, undef, undef, undef) > 0;
  exit 0 if vec($gone, 0, 1);
  next unless vec($gone, fileno $control, 1);
  arm;
  print "changed\n";
}
`.trim();

/** There as soon as the device mapper is in the kernel. The node in /dev is not: systemd makes it before that. */
const DRIVER = '/sys/class/misc/device-mapper';
export const watch: Watch = { program: PERL, argv: ['-e', SCRIPT], needs: DRIVER };
