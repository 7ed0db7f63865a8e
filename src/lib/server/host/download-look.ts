/** Is the file that a step downloads there, whole? */
import { lstat } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { downloadProgress, noteOf, partOf, type DownloadProgress } from './download';
import { fileDigest } from './file-digest';

const downloadedArguments = z.object({
  path: z.string(),
  sizeBytes: z.number().nullable(),
  checksum: z.object({ algorithm: z.enum(['sha256', 'sha512']), hex: z.string() }).nullable(),
});

async function sizeOf(path: string): Promise<number | null> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  return found && (found.isFile() ? found.size : -1);
}

function sentence({
  receivedBytes,
  sizeBytes,
  bytesPerSecond,
  waiting,
  verifying,
}: DownloadProgress): string {
  if (verifying) return 'Comparing the checksum';
  const amount = `${formatBytes(receivedBytes)}${sizeBytes === null ? '' : ` of ${formatBytes(sizeBytes)}`}`;
  if (waiting !== null) return `${amount}; waiting for the server: ${waiting}`;
  return bytesPerSecond === null ? amount : `${amount}, ${formatBytes(bytesPerSecond)}/s`;
}

/** done is said only of the very file: size and checksum are compared, and a file that differs is somebody else's. */
export async function downloaded(args: JsonObject): Promise<LookResult> {
  const { path, sizeBytes, checksum } = downloadedArguments.parse(args);
  const size = await sizeOf(path);
  if (size === null) return piece(path);
  if (size === -1) return { status: 'foreign', evidence: `${path} is there, but is no file.` };
  if (sizeBytes !== null && size !== sizeBytes)
    return { status: 'foreign', evidence: `${path} has ${size} bytes, not ${sizeBytes}.` };
  if (checksum && (await fileDigest(path, checksum.algorithm)) !== checksum.hex)
    return { status: 'foreign', evidence: `${path} has another ${checksum.algorithm} checksum.` };
  return { status: 'done', evidence: `${path} is there, whole.` };
}

async function piece(path: string): Promise<LookResult> {
  const live = downloadProgress(path);
  if (live)
    return {
      status: 'partial',
      evidence: sentence(live),
      ...(live.sizeBytes ? { percent: Math.floor((live.receivedBytes * 100) / live.sizeBytes) } : {}),
    };
  const [part, note] = await Promise.all([sizeOf(partOf(path)), sizeOf(noteOf(path))]);
  if (part === null && note === null) return { status: 'absent', evidence: `There is no file ${path}.` };
  return { status: 'partial', evidence: `${formatBytes(part ?? 0)} of ${path} have come.` };
}
