/**
 * Which of them is it? The bay's own light where an enclosure has one (sysfs `locate`), and for every drive its activity light:
 * reads at random places, past the page cache, in bursts that nobody takes for work. Nothing is written to the drive.
 * Source: Documentation/ABI/testing/sysfs-class-enclosure of Linux.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Action, LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import type { Host } from './types';
import { listFolder } from './vanishing';

// The buffer of a direct read has to begin at a page: its address is looked up, and the rest skipped. The drive is closed
// between bursts, so that nobody who wants it for himself has to wait. A drive that was pulled has been found: no error.
const SCRIPT = String.raw`
use strict;
use Fcntl qw(O_RDONLY O_DIRECT);
my ($path, $size, $count, $until) = @ARGV;
my ($page, $block) = (4096, 65536);
my $buffer = "\0" x ($block + $page);
substr($buffer, 0, 1) = "\1";
my $skip = -unpack('J', pack 'p', $buffer) % $page;
my $places = int(($size - $block) / $page);
while (time < $until) {
  my $drive;
  sysopen $drive, $path, O_RDONLY | O_DIRECT or sysopen $drive, $path, O_RDONLY or exit 0;
  for (1 .. $count) {
    sysseek $drive, $page * int(rand($places)), 0;
    defined sysread $drive, $buffer, $block, $skip or last;
  }
  close $drive;
  select undef, undef, undef, 0.7;
}
`.trim();

type Blink = Extract<Action, { do: 'blink' }>;
/** About half a second of seeks on a disk; flash is so quick that it needs more to be seen. */
const READS = { disk: 60, flash: 3_000 };

/** Arguments of perl. The end is rounded up: the look that follows must find it passed. */
export const blinkArguments = (action: Blink, path: string): string[] => [
  '-e',
  SCRIPT,
  path,
  String(action.sizeBytes),
  String(action.rotational === false ? READS.flash : READS.disk),
  String(Math.ceil(action.untilMs / 1_000) + 1),
];

const untilArguments = z.object({ drive: z.string(), untilMs: z.number() });
/** done: the time is over, or the drive was pulled, which is what it was for. */
export async function blinked(host: Pick<Host, 'blockDevices'>, args: JsonObject): Promise<LookResult> {
  const { drive, untilMs } = untilArguments.parse(args);
  if (host.blockDevices.pathOf({ drive }) === null)
    return { status: 'done', evidence: `${drive} is not plugged in any more.` };
  return Date.now() >= untilMs
    ? { status: 'done', evidence: 'Its time is over.' }
    : { status: 'absent', evidence: 'Its time is not over.' };
}

/** The switch of the light at a drive's bay; null: the enclosure has none. `sys` is where sysfs is. */
export function locateSwitch(kernelName: string, sys = '/sys'): string | null {
  const folder = join(sys, 'block', kernelName, 'device');
  const bay = listFolder(folder).find((name) => name.startsWith('enclosure_device:'));
  const path = bay === undefined ? null : join(folder, bay, 'locate');
  return path !== null && existsSync(path) ? path : null;
}

function switchOf(host: Pick<Host, 'blockDevices'>, drive: string): string {
  const path = host.blockDevices.resolve({ drive });
  const found = locateSwitch(path.slice('/dev/'.length));
  if (found) return found;
  throw new AppError('not_supported', `The bay of ${drive} has no light of its own.`);
}

export const setLocate = (host: Pick<Host, 'blockDevices'>, drive: string, on: boolean): void =>
  writeFileSync(switchOf(host, drive), on ? '1' : '0');

const driveArguments = z.object({ drive: z.string() });
export async function locateLit(host: Pick<Host, 'blockDevices'>, args: JsonObject): Promise<LookResult> {
  const { drive } = driveArguments.parse(args);
  const lit = readFileSync(switchOf(host, drive), 'utf8').trim() !== '0';
  return { status: lit ? 'done' : 'absent', evidence: `The light of its bay is ${lit ? 'on' : 'off'}.` };
}
