/**
 * An operation that has to be alone from one of its steps on: what it saves and replaces is what all others are written in. It waits until
 * it is, and holds a lock then that refuses whatever else wants to begin; the lock goes as all others do, in the transaction
 * that ends it. After a restart the start waits for such an operation (recovery.ts).
 */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Journal } from './journal';
import { EVERYTHING } from './locks';

const LOOK_MS = 250;

/** @throws what the signal was aborted with */
export async function beAlone(
  { journal }: { journal: Journal },
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
  while (!journal.holdEverything(operationId)) {
    signal.throwIfAborted();
    await sleep(LOOK_MS, undefined, { signal });
  }
}

const aloneArguments = z.object({ lock: z.string() });
/** @param args a lock of the operation that is asked about, by which it is known before it has an id */
export function lookAlone(journal: Journal, args: JsonObject): LookResult {
  const asked = journal.lockHolder(aloneArguments.parse(args).lock);
  if (asked !== null && journal.lockHolder(EVERYTHING) === asked)
    return { status: 'done', evidence: 'Nothing else runs, and nothing else may begin.' };
  const others = journal.live().filter(({ id }) => id !== asked);
  const names = others.map(({ title }) => `"${title}"`).join(', ');
  return {
    status: 'absent',
    evidence: names === '' ? 'Other work may still begin.' : `Waits for the end of ${names}.`,
  };
}

/** It has its name only when it is whole and on disk. */
export async function saveDatabase(journal: Journal, path: string): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  journal.copyTo(part);
  const file = await open(part, 'r');
  await file
    .chmod(0o600)
    .then(() => file.sync())
    .finally(() => file.close());
  await rename(part, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
