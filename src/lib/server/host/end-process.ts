/**
 * Ends one process that holds a mount: TERM, after a grace KILL. Who it is, that it still holds that mount, and that it is
 * none of ours is looked at again right before each signal; a pid alone may belong to somebody else by then.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Action, LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { pathHeldBy } from './processes';
import { bootId, readStat } from './process-group';
import type { ProcessIdentity } from './types';

type EndProcess = Extract<Action, { do: 'end-process' }>;

const KILL_WAIT_MS = 5_000;

const isRunning = ({ pid, startTicks, bootId: boot }: ProcessIdentity): boolean => {
  const stat = boot === bootId() ? readStat(pid) : null;
  return stat !== null && stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
};
/** Null when there is no such process. */
export function identityOf(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat ? { pid, startTicks: stat.startTicks, bootId: bootId() } : null;
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // ended meanwhile
  }
}
function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let at = parentOf(pid); at > 1 && !found.includes(at); at = parentOf(at)) found.push(at);
  return found;
}

/** Why it must not be ended: PID 1, this process, one that it started, or one that it was started by. Null: it may be. */
export function protectionOfProcess(pid: number): string | null {
  if (pid <= 1) return 'it is the first process of this machine';
  const ours = pid === process.pid || ancestorsOf(pid).includes(process.pid);
  if (ours) return 'it belongs to Cairn itself';
  return ancestorsOf(process.pid).includes(pid) ? 'Cairn runs below it' : null;
}

/** @returns false when there is nothing to be signalled any more. @throws AppError process_protected */
async function signal(action: EndProcess, name: NodeJS.Signals): Promise<boolean> {
  const why = protectionOfProcess(action.pid);
  if (why) throw new AppError('process_protected', `Process ${action.pid} was not ended: ${why}.`);
  if ((await pathHeldBy(action.pid, action.path)) === null || !isRunning(action)) return false;
  try {
    process.kill(action.pid, name);
    // A stopped process hears nothing but KILL until it goes on.
    if (name === 'SIGTERM') process.kill(action.pid, 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  return true;
}

async function waitForEnd(action: EndProcess, timeoutMs: number): Promise<boolean> {
  for (const until = performance.now() + timeoutMs; isRunning(action); await sleep(20))
    if (performance.now() >= until) return false;
  return true;
}

/** Done already, or no longer using the mount: nothing is done. @throws AppError process_protected | postcondition */
export async function endProcess(action: EndProcess): Promise<void> {
  if (!(await signal(action, 'SIGTERM'))) return;
  if (await waitForEnd(action, action.graceMs)) return;
  if (!(await signal(action, 'SIGKILL'))) return;
  if (!(await waitForEnd(action, KILL_WAIT_MS)))
    throw new AppError('postcondition', `Process ${action.pid} does not end, not even by KILL.`, {
      remedy: 'It waits for a drive that does not answer. Look at the drives of the pool.',
    });
}

const lookArguments = z.object({
  pid: z.number(),
  startTicks: z.number(),
  bootId: z.string(),
  path: z.string(),
});

/** done: this very process has ended, or uses nothing below the path any more. */
export async function lookAtUser(args: JsonObject): Promise<LookResult> {
  const { path, ...identity } = lookArguments.parse(args);
  if (!isRunning(identity)) return { status: 'done', evidence: `Process ${identity.pid} has ended.` };
  const held = await pathHeldBy(identity.pid, path);
  return held === null
    ? { status: 'done', evidence: `Process ${identity.pid} uses nothing below ${path} any more.` }
    : { status: 'absent', evidence: `Process ${identity.pid} uses ${held}.` };
}
