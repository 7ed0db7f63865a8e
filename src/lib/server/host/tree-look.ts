/** The look at a folder that has to hold one tree of files and nothing else. */
import { lstat } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { readTree, treeDigest } from './file-tree';
import { unlessMissing } from './write-file';

const treeArguments = z.object({ path: z.string(), sha256: z.string() });

export async function lookAtTree(args: JsonObject): Promise<LookResult> {
  const { path, sha256 } = treeArguments.parse(args);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  if (!found) return { status: 'absent', evidence: `There is no folder ${path}.` };
  try {
    return treeDigest(await readTree(path)) === sha256
      ? { status: 'done', evidence: `The folder ${path} holds what was trusted.` }
      : { status: 'foreign', evidence: `The folder ${path} holds something else than what was trusted.` };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { status: 'foreign', evidence: `${path}: ${error.message}` };
  }
}
