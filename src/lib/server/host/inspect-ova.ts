/**
 * A machine of somebody else's in one file: an OVA. Only headers, its descriptor and its manifest are read; its disks stay where
 * they are in the archive, and are shown to qemu-img there, as one of a file of its own is: see inspect-image.ts.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Within } from './image-within';
import { inspectImage } from './inspect-image';
import { parseOvf, type OvfDescription } from './parse-ovf';
import { readTarMembers, refused, type TarMember } from './tar-members';
import type { CommandRunner } from './types';

const LONGEST_TEXT = 512 * 1024;

export interface OvaDisk extends Within {
  file: string;
  /** Size of the disk that the guest sees. */
  virtualBytes: number;
}
export interface OvaDigest extends TarMember {
  algorithm: 'sha1' | 'sha256' | 'sha512';
  hex: string;
}
export interface Ova extends Omit<OvfDescription, 'disks'> {
  disks: OvaDisk[];
  /** What its manifest says; empty: it has none. */
  digests: OvaDigest[];
}

const MANIFEST_LINE = /^(SHA1|SHA256|SHA512)\s*\((.{1,200})\)\s*=\s*([0-9a-fA-F]+)$/;
const HEX_LENGTH = { sha1: 40, sha256: 64, sha512: 128 } as const;

/** @throws AppError image_unsupported */
export function parseManifest(text: string, members: TarMember[]): OvaDigest[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [, kind = '', name = '', hex = ''] = MANIFEST_LINE.exec(line) ?? [];
      const algorithm = kind.toLowerCase() as keyof typeof HEX_LENGTH;
      if (HEX_LENGTH[algorithm] !== hex.length)
        throw refused(`Its manifest has a line that is not known: ${line.slice(0, 100)}.`);
      const member = members.find((one) => one.name === name);
      if (!member) throw refused(`Its manifest names "${name}", which is not in it.`);
      return { ...member, algorithm, hex: hex.toLowerCase() };
    });
}

async function textOf(file: FileHandle, { name, offsetBytes, sizeBytes }: TarMember): Promise<string> {
  if (sizeBytes > LONGEST_TEXT) throw refused(`"${name}" in it is far too long.`);
  const { buffer } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offsetBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer);
  } catch {
    throw refused(`"${name}" in it is no text in UTF-8.`);
  }
}

function only(members: TarMember[], ending: string): TarMember | null {
  const found = members.filter(({ name }) => name.toLowerCase().endsWith(ending));
  if (found.length > 1) throw refused(`There are ${found.length} files in it whose names end in ${ending}.`);
  return found[0] ?? null;
}

async function readPackage(path: string) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw refused('It is no file.');
    const members = await readTarMembers(file);
    const descriptor = only(members, '.ovf');
    if (!descriptor) throw refused('There is no descriptor (.ovf) in it.');
    const { disks, ...description } = parseOvf(await textOf(file, descriptor));
    const manifest = only(members, '.mf');
    const digests = manifest ? parseManifest(await textOf(file, manifest), members) : [];
    const places = disks.map(({ file: name }) => {
      const member = members.find((one) => one.name === name);
      if (!member) throw refused(`A disk of it is in "${name.slice(0, 200)}", which is not in it.`);
      return member;
    });
    if (manifest)
      for (const { name } of [descriptor, ...places])
        if (!digests.some((one) => one.name === name))
          throw refused(`Its manifest has no checksum of "${name}".`);
    return { description, digests, places };
  } finally {
    await file.close();
  }
}

/**
 * @param path absolute
 * @throws AppError image_unsupported that says what is wrong with it; as `inspectImage`
 */
export async function inspectOva(
  commands: Pick<CommandRunner, 'read'>,
  path: string,
  signal?: AbortSignal,
): Promise<Ova> {
  const { description, digests, places } = await readPackage(path);
  const disks: OvaDisk[] = [];
  for (const { name, offsetBytes, sizeBytes } of places) {
    const within = { offsetBytes, sizeBytes };
    const { virtualBytes, obstacle } = await inspectImage(commands, path, 'vmdk', signal, within);
    if (obstacle !== null) throw refused(`"${name}" in it: ${obstacle}`);
    disks.push({ file: name, ...within, virtualBytes });
  }
  return { ...description, disks, digests };
}
