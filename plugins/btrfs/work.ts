/** What the kernel does with a mounted btrfs now, as its tools tell it. Changes nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Parser } from '../../src/lib/plugin-api/parse';
import type { KernelWork, PluginContext, ScrubReading } from '../../src/lib/plugin-api/storage';
import { BTRFS } from './btrfs';
import type { ScrubStatus } from './parse-scrub';
import type { ShownFilesystem } from './parse-show';
import type { DeviceStats } from './parse-stats';
import type { Balance, Replacement, UsedProfile } from './parse-work';

export interface WorkParsers {
  show: Parser<ShownFilesystem>;
  replace: Parser<Replacement>;
  balance: Parser<Balance>;
  scrub: Parser<ScrubStatus>;
  profiles: Parser<UsedProfile[]>;
  stats: Parser<DeviceStats[]>;
}

const text = async (context: PluginContext, okExitCodes: number[], ...argv: string[]): Promise<string> =>
  (await context.read(BTRFS, argv, { okExitCodes })).stdout;

export const readShow = async (context: PluginContext, parsers: WorkParsers, mountPath: string) =>
  parsers.show(await text(context, [0], 'filesystem', 'show', '--raw', mountPath));
export const readReplace = async (context: PluginContext, parsers: WorkParsers, mountPath: string) =>
  parsers.replace(await text(context, [0], 'replace', 'status', '-1', mountPath));
/** 1: a balance is there, running or paused (btrfs-balance(8)). */
export const readBalance = async (context: PluginContext, parsers: WorkParsers, mountPath: string) =>
  parsers.balance(await text(context, [0, 1], 'balance', 'status', mountPath));
/**
 * `scrub status` locks the record of the scrub while it reads, and ends with 1 instead of waiting for another one that
 * reads (cmds/scrub.c: flock with LOCK_NB): it is asked again.
 */
const LOCKED = 'failed to open status file: Resource temporarily unavailable';
const LOCKED_TRIES = 30;
const LOCKED_STEP_MS = 100;
export async function readScrub(
  context: PluginContext,
  parsers: WorkParsers,
  mountPath: string,
): Promise<ScrubStatus> {
  const argv = ['scrub', 'status', '--raw', mountPath];
  for (let tries = 1; tries < LOCKED_TRIES; tries++) {
    const answer = await context.read(BTRFS, argv, { okExitCodes: [0, 1] });
    if (answer.exitCode === 0) return parsers.scrub(answer.stdout);
    if (!answer.stderr.includes(LOCKED)) break;
    await sleep(LOCKED_STEP_MS, undefined, { signal: context.signal });
  }
  return parsers.scrub(await text(context, [0], ...argv));
}
export const readProfiles = async (context: PluginContext, parsers: WorkParsers, mountPath: string) =>
  parsers.profiles(await text(context, [0], 'filesystem', 'df', '--raw', mountPath));

/** Exit codes from 64 on say that errors were counted (btrfs-device(8), --check): fine for reading. */
export async function readStats(
  context: PluginContext,
  parsers: WorkParsers,
  mountPath: string,
): Promise<DeviceStats[]> {
  const json = await context.read(BTRFS, ['--format', 'json', 'device', 'stats', mountPath], {
    okExitCodes: [0, 1, 64],
  });
  if (json.exitCode !== 1) return parsers.stats(json.stdout);
  return parsers.stats(await text(context, [0, 64], 'device', 'stats', mountPath));
}

const UNKNOWN_SPEED = { bytesPerSecond: null, secondsLeft: null, paused: false };

function nameAt(context: PluginContext, path: string | null): string {
  const id = path === null ? null : context.driveIdOf(path);
  return context.drives().find((drive) => drive.id === id)?.serial ?? path ?? 'a drive that is missing';
}

export interface Work {
  work: KernelWork[];
  lastScrub: ScrubReading | null;
}

/** @param shown what `readShow` gave: it tells of replacements and of drives that are being emptied */
export async function readWork(
  context: PluginContext,
  parsers: WorkParsers,
  mountPath: string,
  showing: Promise<ShownFilesystem>,
): Promise<Work> {
  const [shown, balance, scrub] = await Promise.all([
    showing,
    readBalance(context, parsers, mountPath),
    readScrub(context, parsers, mountPath),
  ]);
  const work: KernelWork[] = [];
  const target = shown.devices.find((device) => device.devid === 0);
  if (target) {
    const replacement = await readReplace(context, parsers, mountPath);
    if (replacement.state === 'running' || replacement.state === 'suspended')
      work.push({
        ...{ kind: 'rebuild', title: `Rebuilding onto drive ${nameAt(context, target.path)}` },
        ...{ ...UNKNOWN_SPEED, percent: replacement.percent, paused: replacement.state === 'suspended' },
      });
  }
  for (const device of shown.devices)
    if (device.devid !== 0 && device.path !== null && device.sizeBytes === 0)
      work.push({
        ...{ kind: 'evacuate', title: `Moving what is on drive ${nameAt(context, device.path)}` },
        ...{ ...UNKNOWN_SPEED, percent: null },
      });
  if (balance.state !== 'none')
    work.push({
      ...{ kind: 'balance', title: 'Balancing: writing everything anew over all drives' },
      ...{ ...UNKNOWN_SPEED, percent: balance.percent, paused: balance.state === 'paused' },
    });
  if (scrub.state === 'running')
    work.push({
      ...{ kind: 'scrub', title: 'Scrubbing: reading and checking every copy' },
      ...{ percent: scrub.percent, bytesPerSecond: scrub.bytesPerSecond, paused: false },
      secondsLeft: scrub.secondsLeft,
    });
  return { work, lastScrub: lastScrubOf(scrub) };
}

function lastScrubOf(scrub: ScrubStatus): ScrubReading | null {
  if (scrub.state === 'never' || scrub.state === 'running') return null;
  const endedAt = scrub.startedAt === null ? null : scrub.startedAt + (scrub.durationSeconds ?? 0) * 1_000;
  const state = scrub.state === 'aborted' ? 'cancelled' : scrub.state;
  return { endedAt, state, errors: scrub.errors, uncorrectable: scrub.uncorrectable };
}
