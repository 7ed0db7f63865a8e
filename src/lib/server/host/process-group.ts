/**
 * Processes by an identity that outlives us. A process group is alive while any member of it runs; a zombie has ended.
 * Source: proc(5), /proc/pid/stat.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity } from './types';

interface ProcessStat {
  state: string;
  group: number;
  session: number;
  startTicks: number;
}

let knownBootId: string | undefined;
/** Differs after every boot of the machine. */
export const bootId = (): string =>
  (knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

/** Null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // ended between listing and reading
  }
  // The name, field 2, may itself hold spaces and brackets: count from the last bracket, which ends it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? 'X',
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTicks: Number(fields[19]),
  };
}

export const hasEnded = (stat: ProcessStat | null): boolean =>
  !stat || stat.state === 'Z' || stat.state === 'X';

/** @returns false when there is no such group, or nothing that can take the signal */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/** Members of the group that have not ended. */
export function livingMembers(identity: ProcessIdentity): number[] {
  if (identity.bootId !== bootId() || !signalGroup(identity.pid, 0)) return [];
  const leader = readStat(identity.pid);
  // The number is in use again by somebody else: the kernel gives it out only when the whole group is gone.
  if (leader && leader.startTicks !== identity.startTicks) return [];
  const members: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    if (stat && !hasEnded(stat) && stat.group === identity.pid && stat.session === identity.pid)
      members.push(pid);
  }
  return members;
}

export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const leader = readStat(identity.pid);
  if (leader && leader.startTicks === identity.startTicks && !hasEnded(leader)) return true;
  return livingMembers(identity).length > 0;
}

/** @returns true when the whole group has ended, false when timeoutMs passed first */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  for (let pauseMs = 2; isAlive(identity); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() >= until) return false;
    await sleep(pauseMs);
  }
  return true;
}

/** Every member is in uninterruptible sleep: it waits for the kernel, and hears no signal until the kernel lets it. */
export function waitsForKernel(identity: ProcessIdentity): boolean {
  const states = livingMembers(identity).map((pid) => readStat(pid)?.state);
  return states.length > 0 && states.every((state) => state === 'D');
}

/**
 * CONT and TERM, after graceMs KILL; resolves when nothing of the group runs. A stopped process only hears KILL, so CONT first.
 * @param onStuck called once when it lives on after a KILL: it ends when the kernel lets it, or with the machine
 */
export async function endGroup(
  identity: ProcessIdentity,
  graceMs = 2_000,
  onStuck?: () => void,
): Promise<void> {
  if (!isAlive(identity)) return;
  signalGroup(identity.pid, 'SIGTERM');
  signalGroup(identity.pid, 'SIGCONT');
  if (await waitForEnd(identity, graceMs)) return;
  // A member in uninterruptible sleep (a drive that does not answer) ends only when the kernel lets it.
  for (let told = false; isAlive(identity); told = true) {
    signalGroup(identity.pid, 'SIGKILL');
    if (await waitForEnd(identity, 1_000)) return;
    if (!told) onStuck?.();
  }
}
