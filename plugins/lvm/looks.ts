/** The plugin's own looks at groups and volumes. They read what is committed on the drives, and change nothing. */
import type { JsonObject, LookResult, LookStatus } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { askedOf, partsOf, see, volumeIn, type Parsers } from './reading';
import type { Group, Volume } from './parse-report';

export type PluginLook = (context: PluginContext, args: JsonObject) => Promise<LookResult>;
type Look = (context: PluginContext, args: JsonObject, parsers: Parsers) => Promise<LookResult>;

const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Looks at one volume of the pool's group; without the group or the volume the answer is `without`. */
async function atVolume(
  context: PluginContext,
  args: JsonObject,
  parsers: Parsers,
  without: LookStatus,
  look: (group: Group, volume: Volume) => LookResult,
): Promise<LookResult> {
  const { group } = await see(context, parsers, askedOf(args));
  const volume = group && volumeIn(group, String(args.volume));
  if (!group) return seen(without, `There is no volume group ${String(args.group)} of this pool.`);
  return volume
    ? look(group, volume)
    : seen(without, `There is no volume ${String(args.volume)} in ${group.name}.`);
}

/** Are these physical volumes in the pool's group? One that is in another group is foreign. */
const members: Look = async (context, args, parsers) => {
  const { report, group } = await see(context, parsers, askedOf(args));
  const wanted = list(args.physical);
  const other = report.groups.find(
    (one) => one !== group && one.physical.some((physical) => wanted.includes(physical.uuid)),
  );
  if (other)
    return seen('foreign', `The volume group ${other.name}, which is not this pool's, is on its drives.`);
  const count = wanted.filter((uuid) =>
    group?.physical.some((physical) => physical.uuid === uuid && !physical.markedMissing),
  ).length;
  const evidence = `${count} of ${wanted.length} drives are in the volume group ${String(args.group)}.`;
  if (count === 0) return seen('absent', evidence);
  return seen(count === wanted.length ? 'done' : 'partial', evidence);
};

/** Is the volume made, whole and active? Whatever else is in the group is a piece of it: nothing else is made there. */
const volume: Look = async (context, args, parsers) => {
  const { group, gone } = await see(context, parsers, askedOf(args));
  const wanted = typeof args.mapped === 'string' ? args.mapped : null;
  const node = wanted === null ? null : context.path({ mapped: wanted });
  if (!group || group.volumes.length === 0)
    return node === null
      ? seen('absent', `There is no volume in ${String(args.group)}.`)
      : seen('partial', `The device ${String(args.mapped)} runs, and no drive knows of it.`);
  // What is left of it on drives of a group that is not whole goes when they are erased.
  if (gone.length > 0 && node === null)
    return seen('absent', `The volume does not run, and ${gone.length} of its drives are not there.`);
  const found = volumeIn(group, String(args.volume));
  return found && found.segments[0]?.type === args.type && (wanted === null || node !== null)
    ? seen('done', `The volume ${found.name} (${String(args.type)}) is active.`)
    : seen('partial', `A piece of the volume ${String(args.volume)} is in ${group.name}.`);
};

/** Does the kernel run the volume? `parts` are the devices below it. */
const active: Look = async (context, args, parsers) => {
  const mapped = String(args.mapped);
  const left = list(args.parts).filter((name) => context.path({ mapped: name }) !== null);
  if (context.path({ mapped }) === null)
    return left.length === 0
      ? seen('absent', `The device ${mapped} does not run.`)
      : seen('partial', `Parts of ${mapped} still run: ${left.join(', ')}.`);
  const { group, gone } = await see(context, parsers, askedOf(args));
  return group || gone.length > 0
    ? seen('done', `The device ${mapped} runs.`)
    : seen('foreign', `A device ${mapped} runs that is not this pool's.`);
};

const exists: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'absent', (_group, found) =>
    found.origin === null || args.origin === undefined || found.origin === args.origin || args.origin === null
      ? seen('done', `The volume ${found.name} is there.`)
      : seen('foreign', `The volume ${found.name} is there, made from ${found.origin}.`),
  );

const readOnly: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (_group, found) =>
    seen(
      found.readOnly ? 'done' : 'absent',
      `The volume ${found.name} is ${found.readOnly ? 'read-only' : 'writable'}.`,
    ),
  );

const size: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (_group, found) =>
    seen(
      found.sizeBytes >= Number(args.bytes) ? 'done' : 'absent',
      `The volume ${found.name} has ${found.sizeBytes} bytes.`,
    ),
  );

const copies: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (group, found) => {
    const count = partsOf(group, found.name).filter((part) => part.name.includes('_rimage_')).length;
    return seen(
      count === Number(args.count) ? 'done' : 'absent',
      `The volume has ${count} copies or stripes.`,
    );
  });

/** For a step that waits: is everything where it belongs, on drives that are there? */
const inSync: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (group, found) => {
    const { copyPercent, syncAction } = found;
    const stale = [found, ...partsOf(group, found.name)].some(
      (part) => part.kind === 'I' || part.health === 'partial' || part.health === 'refresh needed',
    );
    if (copyPercent !== null && copyPercent < 100)
      return {
        ...seen('running', `The volume is built again: ${copyPercent} % (${syncAction ?? 'idle'}).`),
        percent: copyPercent,
      };
    return stale
      ? seen('absent', 'A copy of the volume is not in sync.')
      : seen('done', 'The volume is in sync on all of its drives.');
  });

/** Is nothing on the drive `from` any more? `to` has had it since then. */
const moved: Look = async (context, args, parsers) => {
  const { group } = await see(context, parsers, askedOf(args));
  if (!group) return seen('foreign', `There is no volume group ${String(args.group)} of this pool.`);
  const used = (uuid: unknown): number | null =>
    group.physical.find((physical) => physical.uuid === uuid)?.usedExtents ?? null;
  const moving = group.volumes.find((one) => one.movesFrom !== null);
  if (moving) return seen('partial', `A move is under way: ${moving.copyPercent ?? 0} %.`);
  const from = used(args.from);
  if (from === null || from === 0) return seen('done', 'Nothing is on the old drive any more.');
  return used(args.to)
    ? seen('partial', 'Parts are on both drives.')
    : seen('absent', 'Everything is on the old drive.');
};

/** Does the group miss nobody, in its own books? */
const complete: Look = async (context, args, parsers) => {
  const { group } = await see(context, parsers, askedOf(args));
  if (!group) return seen('foreign', `There is no volume group ${String(args.group)} of this pool.`);
  return seen(
    group.missingCount === 0 ? 'done' : 'absent',
    `The group misses ${group.missingCount} of its drives.`,
  );
};

/** Does every part of the volume lie on a drive that is there? */
const repaired: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (group, found) => {
    const lost = partsOf(group, found.name).filter((part) =>
      part.segments.some((segment) => segment.devices.includes(null) || segment.type === 'error'),
    );
    return seen(lost.length === 0 ? 'done' : 'absent', `${lost.length} parts of the volume have no drive.`);
  });

const scrubbing: Look = (context, args, parsers) =>
  atVolume(context, args, parsers, 'foreign', (_group, found) =>
    seen(
      found.syncAction === 'check' || found.syncAction === 'repair' ? 'done' : 'absent',
      `The volume does: ${found.syncAction ?? 'nothing'}.`,
    ),
  );

export const LOOKS = {
  members,
  volume,
  active,
  exists,
  'read-only': readOnly,
  size,
  copies,
  'in-sync': inSync,
  moved,
  complete,
  repaired,
  scrubbing,
} satisfies Record<string, Look>;
export type LookName = keyof typeof LOOKS;

/** A drive that spins up, or a change of another group, keeps LVM waiting; a step that cannot be looked at would need a person. */
const PATIENCE_MS = 45_000;
const patient = (context: PluginContext): PluginContext => ({
  ...context,
  read: (program, argv, options) => context.read(program, argv, { ...options, timeoutMs: PATIENCE_MS }),
});

export const withParsers = (parsers: Parsers): Record<string, PluginLook> =>
  Object.fromEntries(
    Object.entries(LOOKS).map(([name, look]): [string, PluginLook] => [
      name,
      (context, args) => look(patient(context), args, parsers),
    ]),
  );
