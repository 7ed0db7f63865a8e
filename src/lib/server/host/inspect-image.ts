/**
 * Is an image of somebody else's a disk of its own? Its header is read first, without any program; only one that names no
 * other file is shown to qemu-img, which is told the format and never guesses it. It runs with nothing but the right to
 * read, bounded in memory, time and files, and may write none. Whatever it says of another file refuses the image.
 * Source: qemu-img(1), "info"; qapi/block-core.json (ImageInfo).
 */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { Json } from '$lib/shared/json';
import { AppError, toAppError } from '../errors';
import { readImageHeader, type DiskFormat, type ImageHeader } from './image-header';
import { imageWithin, type Within } from './image-within';
import { PROGRAMS } from './programs';
import type { CommandRunner } from './types';

const TIMEOUT_MS = 20_000;
const LIMITS = [
  ...['--as=2147483648', '--cpu=10', '--fsize=0', '--nofile=64', '--core=0', '--'],
  ...[PROGRAMS.setpriv, '--no-new-privs', '--bounding-set=-all,+dac_read_search', '--'],
];
/** As QEMU calls it. */
export const driverOf = (format: DiskFormat): string => (format === 'vhd' ? 'vpc' : format);

const info = z.looseObject({
  filename: z.string(),
  format: z.string(),
  'virtual-size': z.number().int().nonnegative(),
  encrypted: z.boolean().optional(),
});

/** Every file that is named anywhere in it. An image within another file has a name that is JSON, and names that file inside. */
function filesNamed(value: Json, key = ''): string[] {
  if (typeof value === 'string' && value.startsWith('json:'))
    return filesNamed(JSON.parse(value.slice('json:'.length)) as Json);
  if (typeof value === 'string') return /(?:^|-)filename$|^data-file$/.test(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((one) => filesNamed(one, key));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, one]) => filesNamed(one, name));
}

/** @throws AppError parse_failed: what this version of qemu-img says is not understood */
export function judgeImage(output: string, path: string, format: DiskFormat): ImageHeader {
  let answer;
  try {
    answer = info.parse(JSON.parse(output));
  } catch (cause) {
    throw new AppError('parse_failed', 'What qemu-img says of an image is not understood.', { cause });
  }
  const virtualBytes = answer['virtual-size'];
  const refuse = (obstacle: string): ImageHeader => ({ virtualBytes, obstacle });
  const other = filesNamed(answer as Json).find((name) => name !== path);
  if (other !== undefined) return refuse(`It is not whole: it reaches for another file, ${other}.`);
  if (answer.format !== driverOf(format)) return refuse(`It is ${answer.format}, not ${format}.`);
  if (answer.encrypted) return refuse('It is encrypted.');
  return { virtualBytes, obstacle: null };
}

/**
 * @param path absolute
 * @param within only this piece of the file, which is a vmdk
 * @throws AppError program_missing | command_timeout | parse_failed | cancelled; the error of the file system
 */
export async function inspectImage(
  commands: Pick<CommandRunner, 'read'>,
  path: string,
  format: DiskFormat,
  signal?: AbortSignal,
  within?: Within,
): Promise<ImageHeader> {
  const header = await readImageHeader(path, format, within?.offsetBytes);
  if (header.obstacle !== null || format === 'raw') return header;
  if (!existsSync(PROGRAMS.qemuImg))
    throw new AppError('program_missing', `${PROGRAMS.qemuImg} is not installed on this machine.`, {
      remedy: 'Install the package qemu-utils, then try again.',
    });
  const name = within ? imageWithin(path, within) : path;
  const argv = [...LIMITS, PROGRAMS.qemuImg, 'info', '--output=json', '-f', driverOf(format), '--', name];
  try {
    const options = { timeoutMs: TIMEOUT_MS, ...(signal ? { signal } : {}) };
    const { stdout } = await commands.read(PROGRAMS.prlimit, argv, options);
    return judgeImage(stdout, path, format);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'command_failed') throw error;
    const said = String(error.details['stderr'] ?? '')
      .split(path)
      .join('it');
    return { ...header, obstacle: `qemu-img cannot read it. ${said}`.trim() };
  }
}
