/**
 * The cron sweeper: what boot-time recovery does once, again and again. It finds operations whose worker is lost,
 * removes old finished ones, and clears records of commands that nobody needs any more.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from './engine';
import { recoverOne } from './recovery';

const DAY_MS = 86_400_000;
const RECORD_AGE_MS = 60_000;

async function recordFiles(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).map((name) => join(dir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function clearRecords(engine: Engine): Promise<void> {
  const needed = new Set(engine.journal.allRecordPaths());
  for (const path of await recordFiles(engine.recordsDir)) {
    if (needed.has(path)) continue;
    const { mtimeMs } = await stat(path);
    // A young one may belong to a command that is being started this moment. Clocks may jump: a future time counts as old.
    if (Math.abs(engine.clock.now() - mtimeMs) > RECORD_AGE_MS) await rm(path, { force: true });
  }
}

export async function sweep(engine: Engine, keep: { operations: number; days: number }): Promise<void> {
  const now = engine.clock.now();
  for (const operation of engine.journal.live()) {
    // A worker in this process is alive by definition, however late its lease is renewed (a stopped process, a clock that jumped).
    if (engine.workers.has(operation.id) || operation.state === 'needs-attention') continue;
    if (operation.leaseUntil > now) continue;
    engine.log.warn({ operationId: operation.id, kind: operation.kind }, 'an operation lost its worker');
    await recoverOne(engine, operation);
  }
  const removed = engine.journal.prune(keep.operations, now - keep.days * DAY_MS);
  if (removed > 0) engine.log.info({ removed }, 'old operations were removed');
  await clearRecords(engine);
}
