/** The manifest of an OVF package: the checksum of each file in it, a line each (DSP0243 2.1, 5.1: `SHA256(name)= hex`). */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Action, DigestPiece } from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import { fileDigest } from './file-digest';
import { writeFile } from './write-file';

/** @throws the error of the file system, or of the abort */
export async function writeManifest(
  { folder, files, path }: Extract<Action, { do: 'write-manifest' }>,
  signal: AbortSignal,
): Promise<void> {
  const lines: string[] = [];
  for (const name of files)
    lines.push(`SHA256(${name})= ${await fileDigest(posix.join(folder, name), 'sha256', signal)}\n`);
  await writeFile(path, lines.join(''), 0o644);
}

async function digestOf(path: string, piece: DigestPiece, signal: AbortSignal): Promise<string> {
  const hash = createHash(piece.algorithm);
  const { offsetBytes: start, sizeBytes } = piece;
  // A stream of nothing would begin at the start all the same.
  if (sizeBytes > 0)
    await pipeline(
      createReadStream(path, { start, end: start + sizeBytes - 1, highWaterMark: 1024 ** 2 }),
      hash,
      { signal },
    );
  return hash.digest('hex');
}

/** @throws AppError image_damaged that names the first piece that is another one; the error of the file system, or of the abort */
export async function checkDigests(
  { path, pieces, into }: Extract<Action, { do: 'check-digests' }>,
  signal: AbortSignal,
): Promise<void> {
  for (const piece of pieces)
    if ((await digestOf(path, piece, signal)) !== piece.hex)
      throw new AppError(
        'image_damaged',
        `"${piece.name}" in ${path} is not what its maker put there: its ${piece.algorithm} checksum is another one.`,
      );
  await writeFile(into, 'as its manifest says\n', 0o600);
}
