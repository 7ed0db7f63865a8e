/**
 * What the first bytes of an image say, read without any program: somebody else made it, and a tool that opens it would
 * follow what it names. qcow2: qemu.git docs/interop/qcow2.txt.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const QCOW2_MAGIC = 0x514649fb;
/** The header, and in a vmdk its description after it. */
const HEADER_BYTES = 64 * 1024;
/** The longest name of a backing file. */
const BACKING_NAME_BYTES = 1023;
/** Bit 2 of the incompatible features: what it holds lies in another file. */
const DATA_FILE_BIT = 4n;

export interface ImageHeader {
  /** Size of the disk that the guest sees; 0: the header alone does not tell. */
  virtualBytes: number;
  /** Why nothing can be made from it; null: it can. */
  obstacle: string | null;
}

function qcow2(header: Buffer): ImageHeader {
  if (header.length < 72 || header.readUInt32BE(0) !== QCOW2_MAGIC)
    return { virtualBytes: 0, obstacle: 'It is no qcow2 file, whatever its name says.' };
  const version = header.readUInt32BE(4);
  const virtualBytes = Number(header.readBigUInt64BE(24));
  const refuse = (obstacle: string): ImageHeader => ({ virtualBytes, obstacle });
  if (version !== 2 && version !== 3) return refuse(`It is of qcow2 version ${version}, which is not known.`);
  if (header.readBigUInt64BE(8) !== 0n)
    return refuse('It is not whole: it needs another file (a backing file).');
  if (hasDataFile(header)) return refuse('It is not whole: what it holds lies in another file.');
  if (header.readUInt32BE(32) !== 0) return refuse('It is encrypted.');
  return { virtualBytes, obstacle: null };
}

const NO_PARENT = 'ffffffff';
/** Sparse extents with their description inside; anything else is spread over several files. */
const VMDK_TYPES = ['monolithicSparse', 'streamOptimized'];

/** VMware Virtual Disk Format 5.0. QEMU follows what the description names, so it is read here first. */
function vmdk(header: Buffer): ImageHeader {
  const refuse = (obstacle: string): ImageHeader => ({ virtualBytes: 0, obstacle });
  if (header.toString('latin1', 0, 21) === '# Disk DescriptorFile')
    return refuse('It only describes a disk that lies in other files.');
  if (header.length < 512 || header.toString('latin1', 0, 4) !== 'KDMV')
    return refuse('It is no vmdk file of one piece, whatever its name says.');
  const sectors = header.readBigUInt64LE(12);
  const from = Number(header.readBigUInt64LE(28)) * 512;
  const to = from + Number(header.readBigUInt64LE(36)) * 512;
  if (sectors === 0n || from === 0 || to > header.length)
    return refuse('It does not describe itself as a disk of one piece.');
  const text = (header.toString('latin1', from, to).split('\0')[0] ?? '').split(/\r?\n/);
  const valueOf = (key: string): string | undefined =>
    text.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  const extents = text.filter((line) => /^(?:RW|RDONLY|NOACCESS)\s/.test(line));
  // VirtualBox writes that of an image in a stream as one that is only read.
  if (valueOf('parentCID')?.toLowerCase() !== NO_PARENT || valueOf('parentFileNameHint') !== undefined)
    return refuse('It is not whole: it needs another file (its parent).');
  const type = valueOf('createType')?.replaceAll('"', '') ?? '';
  if (
    !VMDK_TYPES.includes(type) ||
    extents.length !== 1 ||
    !/^(?:RW|RDONLY)\s+\d+\s+SPARSE\s/.test(extents[0] ?? '')
  )
    return refuse('It is not whole: what it holds lies in other files.');
  return { virtualBytes: Number(sectors) * 512, obstacle: null };
}

/** Formats whose drivers in QEMU read nothing but the file itself: only their first bytes are compared. */
const beginsWith =
  (format: string, offset: number, magic: string | Buffer) =>
  (header: Buffer): ImageHeader => ({
    virtualBytes: 0,
    obstacle: header.subarray(offset, offset + magic.length).equals(Buffer.from(magic))
      ? null
      : `It is no ${format} file, whatever its name says.`,
  });

const READERS = {
  qcow2,
  vmdk,
  vhdx: beginsWith('vhdx', 0, 'vhdxfile'),
  vdi: beginsWith('vdi', 64, Buffer.from([0x7f, 0x10, 0xda, 0xbe])),
} satisfies Record<string, (header: Buffer) => ImageHeader>;

/** Of a fixed VHD the footer, of a dynamic one a copy of it at the beginning. */
async function vhd(file: FileHandle): Promise<ImageHeader> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, Math.max(0, size - 512));
  return beginsWith('vhd', 0, 'conectix')(buffer.subarray(0, bytesRead));
}

export type DiskFormat = keyof typeof READERS | 'raw' | 'vhd';

/** @param offsetBytes where in the file it begins @throws the error of the file system */
export async function readImageHeader(
  path: string,
  format: DiskFormat,
  offsetBytes = 0,
): Promise<ImageHeader> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) return { virtualBytes: 0, obstacle: 'It is no file.' };
    if (format === 'raw') return { virtualBytes: found.size, obstacle: null };
    if (format === 'vhd') return await vhd(file);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, offsetBytes);
    return READERS[format](buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

const hasDataFile = (header: Buffer): boolean =>
  header.length >= 80 && header.readUInt32BE(4) >= 3 && (header.readBigUInt64BE(72) & DATA_FILE_BIT) !== 0n;

/** Other files that a disk needs. */
export interface DiskNeeds {
  isFile: boolean;
  hasDataFile: boolean;
  /** What a qcow2 disk lies above, as its header names it; null: nothing, or it is no qcow2 disk. */
  backing: string | null;
}

/** @throws when it cannot be read, or its header names what cannot be */
export async function readNeeds(path: string): Promise<DiskNeeds> {
  const none: DiskNeeds = { isFile: true, hasDataFile: false, backing: null };
  // Not blocking: a pipe that somebody has laid there would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return { ...none, isFile: false };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = buffer.subarray(0, bytesRead);
    if (header.length < 72 || header.readUInt32BE(0) !== QCOW2_MAGIC) return none;
    const needs = { ...none, hasDataFile: hasDataFile(header) };
    const from = Number(header.readBigUInt64BE(8));
    const length = header.readUInt32BE(16);
    if (from === 0) return needs;
    // With large clusters it may lie further on than the header; to say "none" would hide it.
    if (length > BACKING_NAME_BYTES) throw new Error(`the header of ${path} names no file: ${length} bytes`);
    const name = await file.read(Buffer.alloc(length), 0, length, from);
    if (name.bytesRead < length)
      throw new Error(`${path} ends before the name of the file that it lies above`);
    return { ...needs, backing: name.buffer.toString('utf8') };
  } finally {
    await file.close();
  }
}

/** Does it begin as a qcow2 file does? */
export async function isQcow2(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && buffer.readUInt32BE(0) === QCOW2_MAGIC;
}
