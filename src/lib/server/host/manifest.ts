/** The manifest of an OVF package: the checksum of each file in it, a line each (DSP0243 2.1, 5.1: `SHA256(name)= hex`). */
import { posix } from 'node:path';
import type { Action } from '$lib/plugin-api/plan';
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
