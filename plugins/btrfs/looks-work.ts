/** Looks at a mounted pool whose drives change, and at the work of its kernel. They write nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import type { ShownDevice } from './parse-show';
import {
  readBalance,
  readProfiles,
  readReplace,
  readScrub,
  readShow,
  readStats,
  type WorkParsers,
} from './work';

type Answer = Promise<LookResult>;
type WorkLook = (context: PluginContext, args: JsonObject) => Answer;

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const seen = (status: LookResult['status'], evidence: string, percent?: number | null): LookResult => ({
  status,
  evidence,
  ...(percent === undefined || percent === null ? {} : { percent }),
});

/** `replace start` and `balance start --background` leave the work to a child and end before it has begun. */
const BEGIN_WAIT_MS = 1_500;
const BEGIN_STEP_MS = 100;
async function unlessAboutToBegin(context: PluginContext, look: () => Answer): Answer {
  const until = performance.now() + BEGIN_WAIT_MS;
  for (;;) {
    const result = await look();
    if (result.status !== 'absent' || performance.now() >= until) return result;
    await sleep(BEGIN_STEP_MS, undefined, { signal: context.signal });
  }
}

/** The members of the pool that is mounted at its path; a sentence when it is not this pool that is mounted there. */
async function membersAt(
  context: PluginContext,
  parsers: WorkParsers,
  args: JsonObject,
): Promise<{ devices: (ShownDevice & { driveId: string | null })[]; someMissing: boolean } | string> {
  const path = String(args.mountPath);
  const entry = context.mounts().findLast((mount) => mount.path === path);
  if (entry?.filesystem !== 'btrfs') return `The pool is not mounted at ${path}.`;
  const shown = await readShow(context, parsers, path);
  if (shown.uuid !== args.uuid) return `Another filesystem is mounted at ${path}.`;
  return {
    devices: shown.devices.map((device) => ({
      ...device,
      driveId: device.path === null ? null : context.driveIdOf(device.path),
    })),
    someMissing: shown.someMissing,
  };
}

export function workLooks(parsers: WorkParsers) {
  const replacedNow: WorkLook = async (context, args) => {
    const found = await membersAt(context, parsers, args);
    if (typeof found === 'string') return seen('foreign', found);
    const { devices } = found;
    const target = devices.find((device) => device.devid === 0);
    if (target && target.driveId !== args.fresh)
      return seen('foreign', 'Another drive of the pool is being replaced.');
    if (target) {
      const now = await readReplace(context, parsers, String(args.mountPath));
      const percent = 'percent' in now ? now.percent : null;
      const paused = now.state === 'suspended' ? ', paused: it goes on when the pool is mounted again' : '';
      return args.begun === true
        ? seen('done', 'The kernel copies to the new drive.')
        : seen('running', `The new drive is filled${paused}.`, percent);
    }
    if (devices.some((device) => device.driveId === args.fresh))
      return seen('done', 'The new drive is a member of the pool.');
    const holder = devices.find((device) => device.devid === args.devid);
    if (args.missing === true && holder && holder.driveId !== null)
      return seen('foreign', `The place of the missing drive is held by ${holder.path}.`);
    return seen('absent', 'The new drive is no member of the pool.');
  };

  /** Has the fresh drive the place of the old one? `begun: true` asks only whether the kernel has begun. */
  const replaced: WorkLook = (context, args) => unlessAboutToBegin(context, () => replacedNow(context, args));

  /** Is the drive a member? While it is being emptied it is on its way out. */
  const member: WorkLook = async (context, args) => {
    const found = await membersAt(context, parsers, args);
    if (typeof found === 'string') return seen('foreign', found);
    const own = found.devices.find((device) => device.driveId === args.drive);
    if (own?.sizeBytes === 0 && args.leaving === true)
      return seen(
        'running',
        `${(own.usedBytes / GIB).toFixed(1)} GiB are still on the drive.`,
        100 - Math.min(100, (own.usedBytes * 100) / Math.max(1, Number(args.sizeBytes))),
      );
    if (own) return seen('done', 'The drive is a member of the pool.');
    if (args.missing === true) {
      const place = found.devices.find((device) => device.devid === args.devid);
      if (place && place.driveId !== null)
        return seen('foreign', `The place of the missing drive is held by ${place.path}.`);
      if (place || found.someMissing) return seen('done', 'The pool still counts the missing drive.');
    }
    return seen('absent', 'The drive is no member of the pool.');
  };

  /** Has everything the profile of the layout? Writing while a drive was away leaves chunks that are kept only once. */
  const profiles: WorkLook = async (context, args) => {
    const found = await membersAt(context, parsers, args);
    if (typeof found === 'string') return seen('foreign', found);
    const path = String(args.mountPath);
    const balance = await readBalance(context, parsers, path);
    if (balance.state === 'running')
      return seen('running', 'Chunks are written with the profile of the layout.', balance.percent);
    const wanted = { data: args.data, metadata: args.metadata, system: args.metadata };
    const used = await readProfiles(context, parsers, path);
    const other = used.filter(({ kind, profile }) => wanted[kind] !== profile);
    if (other.length === 0)
      return seen('done', `All data is ${String(args.data)}, all metadata ${String(args.metadata)}.`);
    // Cut off in the middle, on either way: a part of the metadata is kept as before, a part as wanted.
    const begun = used.some(({ kind, profile }) => kind !== 'data' && wanted[kind] === profile);
    const evidence = `Some ${other.map(({ kind, profile }) => `${kind} is ${profile}`).join(', some ')}.`;
    return seen(begun ? 'partial' : 'absent', evidence);
  };

  /** Is all of the drive used? The filesystem may leave less than a MiB at its end. */
  const grown: WorkLook = async (context, args) => {
    const found = await membersAt(context, parsers, args);
    if (typeof found === 'string') return seen('foreign', found);
    const own = found.devices.find((device) => device.driveId === args.drive);
    if (!own) return seen('foreign', 'The drive is no member of the pool.');
    return Number(args.sizeBytes) - own.sizeBytes < MIB
      ? seen('done', 'The filesystem uses the whole drive.')
      : seen('absent', `The filesystem uses ${own.sizeBytes} of ${String(args.sizeBytes)} bytes.`);
  };

  /** Has a drive of the mounted pool counted errors? */
  const counted: WorkLook = async (context, args) => {
    const found = await membersAt(context, parsers, args);
    if (typeof found === 'string') return seen('foreign', found);
    const stats = await readStats(context, parsers, String(args.mountPath));
    const total = stats.flatMap(({ errors }) => Object.values(errors)).reduce((sum, n) => sum + n, 0);
    return total > 0
      ? seen('done', `${total} errors are counted.`)
      : seen('absent', 'No errors are counted.');
  };

  const scrubbing: WorkLook = async (context, args) => {
    const { state } = await readScrub(context, parsers, String(args.mountPath));
    return state === 'running'
      ? seen('done', 'A scrub is at work.')
      : seen('absent', `No scrub is at work; the last one: ${state}.`);
  };

  const balancingNow: WorkLook = async (context, args) => {
    const { state } = await readBalance(context, parsers, String(args.mountPath));
    return state === 'none'
      ? seen('absent', 'No balance is at work.')
      : seen('done', `A balance is ${state === 'paused' ? 'paused' : 'at work'}.`);
  };

  /** `starting: true` for the step that starts one. */
  const balancing: WorkLook = (context, args) =>
    args.starting === true
      ? unlessAboutToBegin(context, () => balancingNow(context, args))
      : balancingNow(context, args);

  return { replaced, member, profiles, grown, counted, scrubbing, balancing };
}
