/**
 * What is in a tar archive of somebody else's, and where: headers only, nothing is unpacked. Plain files with plain names and no
 * more (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's numbers for what is longer than 8 GiB). Whatever else an archive
 * can hold refuses all of it.
 */
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../errors';

export interface TarMember {
  name: string;
  /** Of its first byte in the archive. */
  offsetBytes: number;
  sizeBytes: number;
}

const BLOCK = 512;
const MOST_MEMBERS = 64;
const LONGEST_EXTRA = 64 * 1024;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._()+,@=~-]{0,99}$/u;
/** Of extended headers those that say nothing of where a file is or how long. */
const HARMLESS = /^(?:[amc]time|comment|LIBARCHIVE\..*|SCHILY\..*)$/;
const KINDS: Record<string, string> = {
  ...{
    '1': 'a link',
    '2': 'a symbolic link',
    '3': 'a device',
    '4': 'a device',
    '5': 'a folder',
    '6': 'a pipe',
  },
};

export const refused = (message: string): AppError => new AppError('image_unsupported', message);

const text = (header: Buffer, from: number, length: number): string =>
  header.toString('utf8', from, from + length).split('\0')[0] ?? '';

function numberAt(header: Buffer, from: number, length: number): number {
  if (header[from] === 0x80) return Number(BigInt(`0x${header.toString('hex', from + 1, from + length)}`));
  const digits = text(header, from, length).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function isWhole(header: Buffer): boolean {
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return numberAt(header, 148, 8) === sum;
}

/** `<length> <key>=<value>\n`, as often as there are. */
function keysOf(records: Buffer): string[] {
  const keys: string[] = [];
  for (let rest = records; rest.length > 0;) {
    const [, length = '', key = ''] = /^(\d{1,6}) ([^=\n]{1,200})=/.exec(rest.toString('utf8', 0, 300)) ?? [];
    if (key === '' || Number(length) > rest.length) throw refused('An extended header in it is damaged.');
    keys.push(key);
    rest = rest.subarray(Number(length));
  }
  return keys;
}

async function refuseExtra(file: FileHandle, { offsetBytes, sizeBytes }: TarMember): Promise<void> {
  if (sizeBytes > LONGEST_EXTRA) throw refused('An extended header in it is far too long.');
  const { buffer } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offsetBytes);
  const strange = keysOf(buffer).find((key) => !HARMLESS.test(key));
  if (strange !== undefined)
    throw refused(`An extended header in it changes "${strange}", which is not taken.`);
}

function memberOf(header: Buffer, offsetBytes: number): TarMember & { type: string } {
  const magic = header.toString('latin1', 257, 263);
  if (!isWhole(header) || (magic !== 'ustar\0' && magic !== 'ustar '))
    throw refused('It is no tar archive, or a damaged one, whatever its name says.');
  const sizeBytes = numberAt(header, 124, 12);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw refused('It tells the length of a file in it in a way that is not known.');
  const prefix = magic === 'ustar\0' ? text(header, 345, 155) : '';
  const name = prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
  return { name, offsetBytes, sizeBytes, type: String.fromCharCode(header[156] ?? 0) };
}

function refuseStrange({ name, type }: { name: string; type: string }, others: TarMember[]): void {
  if (type !== '0' && type !== '\0')
    throw refused(`"${name}" in it is ${KINDS[type] ?? 'of a kind that is not known'}, and no plain file.`);
  if (!NAME.test(name) || name.includes('..'))
    throw refused(`"${name.slice(0, 200)}" in it is no plain name of a file.`);
  if (others.some((one) => one.name === name)) throw refused(`"${name}" is in it twice.`);
  if (others.length >= MOST_MEMBERS) throw refused(`There are more than ${MOST_MEMBERS} files in it.`);
}

/** @throws AppError image_unsupported that says what is wrong with it; the error of the file system */
export async function readTarMembers(file: FileHandle): Promise<TarMember[]> {
  const { size } = await file.stat();
  const members: TarMember[] = [];
  const header = Buffer.alloc(BLOCK);
  let extras = 0;
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(header, 0, BLOCK, at);
    if (bytesRead < BLOCK) throw refused('It is cut off: it has no end.');
    if (header.every((byte) => byte === 0)) return members;
    const { type, ...member } = memberOf(header, at + BLOCK);
    at = member.offsetBytes + Math.ceil(member.sizeBytes / BLOCK) * BLOCK;
    if (member.offsetBytes + member.sizeBytes > size)
      throw refused(`It is cut off: "${member.name}" in it is not whole.`);
    if (type === 'x' || type === 'g') {
      if ((extras += 1) > MOST_MEMBERS) throw refused('There are far too many extended headers in it.');
      await refuseExtra(file, member);
      continue;
    }
    refuseStrange({ name: member.name, type }, members);
    members.push(member);
  }
}
