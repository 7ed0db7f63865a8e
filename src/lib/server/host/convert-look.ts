/**
 * How far a program is that writes a disk image. Only for steps that are taken back when they are interrupted: what a
 * program that was cut short has left looks like what one has left that came to its end.
 */
import { lstat } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { processesUsing } from './processes';
import { unlessMissing } from './write-file';

const converted = z.object({ path: z.string(), sourceBytes: z.number() });
/** Of what lstat(2) calls a block. */
const BLOCK_BYTES = 512;

export async function lookAtConversion(args: JsonObject): Promise<LookResult> {
  const { path, sourceBytes } = converted.parse(args);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  if (!found) return { status: 'absent', evidence: `There is no file ${path}.` };
  if (!found.isFile()) return { status: 'foreign', evidence: `${path} is there, but is no file.` };
  const written = found.blocks * BLOCK_BYTES;
  if ((await processesUsing(path)).length === 0)
    return { status: 'done', evidence: `${path} was written: ${formatBytes(written)}.` };
  return {
    status: 'running',
    evidence: `${formatBytes(written)} of at most ${formatBytes(sourceBytes)} are written`,
    ...(sourceBytes > 0 ? { percent: Math.min(99, Math.floor((written * 100) / sourceBytes)) } : {}),
  };
}
