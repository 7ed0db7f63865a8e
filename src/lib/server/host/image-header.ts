/**
 * What the first bytes of an image say, read without any program: somebody else made it, and a tool that opens it would
 * follow what it names. qcow2: qemu.git docs/interop/qcow2.txt.
 */
import { open } from 'node:fs/promises';

const QCOW2_MAGIC = 0x514649fb;
const HEADER_BYTES = 104;
/** Bit 2 of the incompatible features: what it holds lies in another file. */
const DATA_FILE_BIT = 4n;

export interface ImageHeader {
  /** Size of the disk that the guest sees. */
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
  if (version === 3 && header.length >= 80 && (header.readBigUInt64BE(72) & DATA_FILE_BIT) !== 0n)
    return refuse('It is not whole: what it holds lies in another file.');
  if (header.readUInt32BE(32) !== 0) return refuse('It is encrypted.');
  return { virtualBytes, obstacle: null };
}

/** @throws the error of the file system */
export async function readImageHeader(path: string, format: 'qcow2' | 'raw'): Promise<ImageHeader> {
  const file = await open(path, 'r');
  try {
    if (format === 'raw') return { virtualBytes: (await file.stat()).size, obstacle: null };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return qcow2(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
