/** The plugin's own looks. They change nothing. */
import { basename } from 'node:path';
import type { DriveRef, JsonObject, LookResult, LookStatus } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { isFaulty, isInSync, isStarted, readArray, type ArrayMember, type ArrayState } from './array';

const seen = (status: LookStatus, evidence: string, percent?: number): LookResult => ({
  status,
  evidence,
  ...(percent === undefined ? {} : { percent }),
});

/** A place of a member as plans write it: drive id, partition number (0: the whole drive). */
const placesOf = (args: JsonObject): DriveRef[] =>
  (Array.isArray(args.places) ? args.places : []).map((place) => {
    const [drive, partition] = Array.isArray(place) ? place : [];
    return Number(partition) === 0
      ? { drive: String(drive) }
      : { drive: String(drive), partition: Number(partition) };
  });

interface Running {
  path: string;
  array: ArrayState;
}
async function running(context: PluginContext, args: JsonObject): Promise<Running | null> {
  const path = context.path({ array: String(args.array) });
  const array = path === null ? null : await readArray(basename(path));
  return path !== null && array ? { path, array } : null;
}
const NOT_THERE = 'The array is not running.';

export const percentOf = (array: ArrayState): number | undefined =>
  array.progress && array.progress.total > 0
    ? Math.min(100, (array.progress.done / array.progress.total) * 100)
    : undefined;

/** Has each place a superblock of our array? On some only: mdadm was cut short. */
export async function superblocks(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const places = await Promise.all(
    placesOf(args).map(async (ref) => {
      const path = context.path(ref);
      return { path, found: path === null ? null : await context.probe(path) };
    }),
  );
  const isOurs = (found: (typeof places)[number]['found']): boolean =>
    found?.type === 'linux_raid_member' && found.uuid === args.array;
  const other = places.find(({ found }) => found && !isOurs(found));
  if (other) return seen('foreign', `${other.path} holds ${other.found?.type} that is not this pool's.`);
  const ours = places.filter(({ found }) => isOurs(found)).length;
  const evidence = `${ours} of ${places.length} drives carry the array's superblock.`;
  if (ours === 0) return seen('absent', evidence);
  return seen(ours === places.length ? 'done' : 'partial', evidence);
}

/** Does the array run? `there`: an array that the kernel has collected, and not started, counts too. */
export async function started(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('absent', NOT_THERE);
  const text = `The array is ${found.path}, ${found.array.state}.`;
  if (isStarted(found.array) || args.there === true) return seen('done', text);
  return seen('absent', `The array is ${found.path}, and not started.`);
}

/** Is the array collected and not started? Then it has to be let go before it can be assembled from chosen members. */
export async function incomplete(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('absent', NOT_THERE);
  return isStarted(found.array)
    ? seen('absent', `The array is ${found.path}, ${found.array.state}.`)
    : seen('done', `The array ${found.path} is not started.`);
}

/** Is nothing on the array, or our filesystem? A new array may show what its members held under an earlier one. */
export async function clear(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const path = context.path({ array: String(args.array) });
  if (path === null) return seen('absent', NOT_THERE);
  const found = await context.probe(path);
  if (!found) return seen('done', 'Nothing is on the array.');
  return found.uuid === args.uuid
    ? seen('done', "The pool's filesystem is on the array.")
    : seen('absent', `On the array is what its drives held before: ${found.type}.`);
}

const memberAt = (context: PluginContext, array: ArrayState, drive: string): ArrayMember | undefined =>
  array.members.find((member) => member.alive && context.driveIdOf(`/dev/${member.name}`) === drive);

/** Are these drives members, in whatever role? `healthy`: a failed one does not count. */
export async function members(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const places = placesOf(args);
  const those = places.flatMap((place) => memberAt(context, found.array, place.drive) ?? []);
  const counted = args.healthy === true ? those.filter((member) => !isFaulty(member)) : those;
  const evidence = `${counted.length} of ${places.length} drives are members of ${found.path}.`;
  if (counted.length === 0) return seen('absent', evidence);
  return seen(counted.length === places.length ? 'done' : 'partial', evidence);
}

/** Is the drive a failed member, that the array still keeps? */
export async function failed(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const member = memberAt(context, found.array, String(args.drive));
  return member && isFaulty(member)
    ? seen('done', `The array keeps ${member.name} as failed.`)
    : seen('absent', 'The array keeps no failed member on this drive.');
}

/** Has the member on this drive a place of its own, be it still filled or up to date? A spare only waits. */
export async function filling(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const member = memberAt(context, found.array, String(args.drive));
  if (!member) return seen('absent', 'The drive is no member of the array.');
  if (isFaulty(member)) return seen('partial', `The array has failed ${member.name}.`);
  return member.slot === null
    ? seen('absent', `${member.name} waits as a spare.`)
    : seen('done', `${member.name} has place ${member.slot}.`);
}

/** Is the member on this drive up to date, and (when there is one) the one that it replaces out of the array's places? */
export async function synced(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const { array } = found;
  const fresh = memberAt(context, array, String(args.drive));
  if (!fresh) return seen('absent', 'The drive is no member of the array.');
  if (isFaulty(fresh)) return seen('foreign', `The array has failed ${fresh.name} while it was filled.`);
  const old = args.old === undefined ? undefined : memberAt(context, array, String(args.old));
  const oldHolds = old !== undefined && isInSync(old);
  if (isInSync(fresh) && !oldHolds) return seen('done', `${fresh.name} is up to date.`);
  const inSync = new Set(array.members.filter((one) => isInSync(one) && one.alive).map((one) => one.slot));
  // As a spare of an array that lacks a member it is about to be taken; the kernel needs a moment for that.
  if (fresh.slot !== null || inSync.size < array.raidDisks)
    return seen('running', `${fresh.name} is being filled.`, percentOf(array));
  // A spare was quicker: the array is whole, and the newcomer is the spare now.
  return seen(args.old === undefined ? 'done' : 'absent', `${fresh.name} waits as a spare.`);
}

/** Has the array this many places? `settled`: and is no reshape under way? */
export async function places(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const { array } = found;
  const evidence = `The array has ${array.raidDisks} places.`;
  if (array.raidDisks !== args.count) return seen('absent', evidence);
  if (args.settled === true && array.reshaping)
    return seen('running', 'The array is being reshaped.', percentOf(array));
  return seen('done', evidence);
}

/** Is a check under way? */
export async function scrubbing(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  if (!found) return seen('foreign', NOT_THERE);
  const { action } = found.array;
  return action === 'check' || action === 'repair'
    ? seen('done', 'The array is being checked.')
    : seen('absent', `The array is not being checked; it is ${action}.`);
}

/** Has the mounted filesystem this label? Not mounted is foreign: the label would be set on whatever lies below. */
export async function label(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const found = await running(context, args);
  const entry = context.mounts().findLast((mount) => mount.path === args.mountPath);
  if (!found || entry?.source !== found.path)
    return seen('foreign', `The pool is not mounted at ${String(args.mountPath)}.`);
  const content = await context.probe(found.path);
  if (content?.uuid !== args.uuid) return seen('foreign', 'Another filesystem is on the array.');
  return seen(
    content?.label === args.label ? 'done' : 'absent',
    `The filesystem's label is ${content?.label ?? 'empty'}.`,
  );
}
