/** The mount table and the swap table of this process's mount namespace. Sources: proc(5), mountinfo and swaps. */
import { readFileSync } from 'node:fs';
import { AppError } from '../errors';
import type { MountEntry } from './types';

/** Space, tab, newline and backslash come as three octal digits. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/**
 * `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda1 rw,errors=continue`; the fields before ` - ` vary in number.
 * @throws AppError parse_failed
 */
export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const separator = line.indexOf(' - ');
      const [, , majorMinor, , path, options] = line.slice(0, separator).split(' ');
      const [filesystem, source] = line.slice(separator + 3).split(' ');
      if (separator < 0 || !majorMinor || !path || !options || !filesystem || source === undefined)
        throw new AppError('parse_failed', 'A line of the mount table is not understood.', {
          details: { line },
        });
      return {
        path: unescaped(path),
        source: unescaped(source),
        filesystem,
        majorMinor,
        readOnly: options.split(',').includes('ro'),
        options: options.split(','),
      };
    });
}

const REMOTE = new Set(['nfs', 'nfs4', 'cifs', 'smb3']);
/** A folder of another machine: whatever asks it may wait for that machine. */
export const isRemote = ({ filesystem }: Pick<MountEntry, 'filesystem'>): boolean => REMOTE.has(filesystem);

/** Paths of swap devices and files. */
export const parseSwaps = (text: string): string[] =>
  text
    .split('\n')
    .slice(1)
    .map((line) => unescaped(line.split(/\s/)[0] ?? ''))
    .filter((path) => path !== '');

export const readMounts = (): MountEntry[] => parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
export const readSwaps = (): string[] => parseSwaps(readFileSync('/proc/swaps', 'utf8'));
