/** The looks of a self-test: the drive works by itself, and tells how far it is. They wake nothing: who tests is awake. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { SelfTestEntry } from '$lib/shared/wire/drives';
import { AppError } from '../errors';
import { readSmart } from './smart';
import type { SelfTestReading } from './smart-self-test';
import type { Host } from './types';

type LookHost = Pick<Host, 'commands' | 'blockDevices'>;
const testArguments = z.object({ drive: z.string(), log: z.string() });
/** A test takes minutes to days: it is not asked four times a second. */
const PAUSE_MS = 5_000;

/** Tells one log from the next: another entry makes another text. */
export const logMark = (log: SelfTestEntry[]): string =>
  createHash('sha256').update(JSON.stringify(log)).digest('hex').slice(0, 16);

async function read(host: LookHost, drive: string): Promise<SelfTestReading | null> {
  const path = host.blockDevices.resolve({ drive });
  const bus = host.blockDevices.current().find((one) => one.id === drive)?.bus ?? 'unknown';
  const answer = await readSmart(host.commands, { path, bus });
  if (answer.kind === 'reading') return answer.reading.selfTest;
  if (answer.kind === 'standby') return null;
  throw new AppError('not_supported', answer.reason);
}
const newest = (test: SelfTestReading, log: string): SelfTestEntry | null =>
  logMark(test.log) === log ? null : (test.log[0] ?? null);

/** done: it runs, or has ended with a result since. */
export async function selfTestStarted(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, log } = testArguments.parse(args);
  const test = await read(host, drive);
  if (test === null) return { status: 'absent', evidence: `${drive} sleeps.` };
  if (test.running) return { status: 'done', evidence: `${drive} tests itself.` };
  const entry = newest(test, log);
  return entry && entry.result !== 'broken-off'
    ? { status: 'done', evidence: `A self-test has ended: ${entry.text}.` }
    : { status: 'absent', evidence: 'No self-test runs.' };
}

export async function selfTestEnded(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, log } = testArguments.parse(args);
  const test = await read(host, drive);
  if (test?.running) {
    await sleep(PAUSE_MS);
    const { percent } = test.running;
    return {
      status: 'running',
      evidence: `${drive} tests itself.`,
      ...(percent === null ? {} : { percent }),
    };
  }
  const entry = test ? newest(test, log) : null;
  if (!entry) return { status: 'absent', evidence: 'No self-test runs, and none has left a result.' };
  return entry.result === 'broken-off'
    ? { status: 'foreign', evidence: `The self-test was broken off: ${entry.text}.` }
    : { status: 'done', evidence: `The self-test has ended: ${entry.text}.` };
}
