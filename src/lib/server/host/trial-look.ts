/**
 * The trial of another version, as before-start.sh reads it at each start: a line that names it, until it has become ready. When it
 * does not, that script puts the version before back, with its database, and leaves the same line as `failed`.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { unlessMissing } from './write-file';

const trialArguments = z.object({ path: z.string(), content: z.string(), failedPath: z.string() });

const textOf = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });

export async function lookAtTrial(args: JsonObject): Promise<LookResult> {
  const { path, content, failedPath } = trialArguments.parse(args);
  const [, from, to] = content.trim().split(' ');
  const failed = await textOf(failedPath);
  if (failed?.startsWith(content))
    return {
      status: 'foreign',
      evidence: failed.includes('by hand')
        ? `Somebody went back from version ${to} to version ${from}, with its database as it was.`
        : `Version ${to} was started and did not become ready, so version ${from} is back, with its database as it was.`,
    };
  return (await textOf(path)) === content
    ? { status: 'done', evidence: `Version ${to} is on trial.` }
    : { status: 'absent', evidence: `Version ${to} is not on trial.` };
}
