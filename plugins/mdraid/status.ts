/** What the machine says about an md pool. Changes nothing, and starts no program while the array runs. */
import { basename } from 'node:path';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type {
  MemberReading,
  PluginContext,
  PoolDrive,
  PoolReading,
  PoolSpec,
} from '../../src/lib/plugin-api/storage';
import { isFaulty, isInSync, isStarted, readArray, type ArrayMember, type ArrayState } from './array';
import { MDADM } from './mdadm';
import { isCurrent, newestOf, type Superblock } from './parse-examine';
import { nameOf, partsOf, type Parts } from './parts';
import { lastScrubOf, workOf } from './work';

type Judgement = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;

const areThere = (drives: PoolDrive[], text: string): string =>
  `${drives.length === 1 ? 'Drive' : 'Drives'} ${drives.map(nameOf).join(', ')} ${drives.length === 1 ? 'is' : 'are'} ${text}`;

function tolerated(parts: Parts): number {
  switch (parts.layout) {
    case 'raid0':
      return 0;
    case 'raid1':
      return parts.data.length - 1;
    case 'raid6':
      return 2;
    // More may be gone as long as no pair is: a running array has lost no pair.
    case 'raid10':
      return Math.floor(parts.data.length / 2);
    default:
      return 1;
  }
}

/** The kernel keeps the wish until somebody fills the place or the array is started again. */
const isReplaced = (member: ArrayMember, array: ArrayState): boolean =>
  array.members.some((other) => other !== member && other.slot === member.slot && !isFaulty(other));

function memberReading(
  member: ArrayMember | undefined,
  present: boolean,
  array: ArrayState,
): Omit<MemberReading, 'driveId'> {
  if (!present) return { status: 'missing', detail: null };
  if (!member) return { status: 'faulty', detail: 'is not part of the array' };
  if (isFaulty(member)) return { status: 'faulty', detail: 'failed in the array' };
  const place = member.slot === null ? null : `place ${member.slot}`;
  if (isInSync(member)) {
    const notes = [
      ...(isReplaced(member, array)
        ? ['is being replaced']
        : member.flags.includes('want_replacement')
          ? ['the next spare takes its place']
          : []),
      ...(member.flags.includes('write_error') ? ['has had write errors'] : []),
    ];
    return { status: 'active', detail: notes.join(', ') || place };
  }
  return member.slot === null
    ? { status: 'spare', detail: 'waits as a spare' }
    : { status: 'rebuilding', detail: place };
}

/** Members by their drives: neither their order in a list nor their kernel names say who they are. */
function membersOf(context: PluginContext, parts: Parts, array: ArrayState) {
  const byDrive = new Map<string, ArrayMember>();
  for (const member of array.members) {
    const id = member.alive ? context.driveIdOf(`/dev/${member.name}`) : null;
    if (id !== null) byDrive.set(id, member);
  }
  const readings = [...parts.data, ...parts.spares].map((drive) => ({
    driveId: drive.id,
    ...memberReading(byDrive.get(drive.id), context.path({ drive: drive.id }) !== null, array),
  }));
  // A drive that has just gone is known to be gone before md has tried to write to it.
  const inSync = new Set([...byDrive.values()].filter(isInSync).map((member) => member.slot));
  const filling = new Set(
    [...byDrive.values()].filter((member) => member.slot !== null && !isFaulty(member)).map((m) => m.slot),
  );
  return { byDrive, readings, lost: array.raidDisks - inSync.size, open: array.raidDisks - filling.size };
}

function judgeRunning(
  parts: Parts,
  array: ArrayState,
  counts: { lost: number; open: number },
  readings: MemberReading[],
  mount: { mounted: boolean; readOnly: boolean },
): Judgement {
  const statusOf = new Map(readings.map((reading) => [reading.driveId, reading.status]));
  const gone = parts.data.filter((drive) => ['missing', 'faulty'].includes(statusOf.get(drive.id) ?? ''));
  const away = gone.every((drive) => statusOf.get(drive.id) === 'missing');
  const names =
    gone.length > 0 ? areThere(gone, away ? 'missing' : 'not working in the array') : 'A member is missing';
  const critical = (poolStatus: PoolReading['poolStatus'], healthText: string): Judgement => ({
    poolStatus,
    health: 'critical',
    healthText,
  });
  if (counts.lost > tolerated(parts) || array.state === 'broken')
    return critical(
      'failed',
      `${names}, and ${parts.layout.toUpperCase()} cannot go on without. Stop what uses the pool, plug in what is missing, then unmount and mount it.`,
    );
  if (mount.mounted && mount.readOnly)
    return critical(
      'degraded',
      'The filesystem is read-only, which the kernel does after errors. Back up what matters, then unmount it and look at its drives.',
    );
  if (counts.open > 0) {
    const left = tolerated(parts) - counts.lost;
    const risk = left > 0 ? `${left} more may fail` : 'one more loss would lose data';
    return critical('degraded', `${names}: ${risk}. Plug it in and add it again, or replace it.`);
  }
  if (counts.lost > 0)
    return {
      poolStatus: 'degraded',
      health: 'warning',
      healthText:
        'A member is being filled; until that has ended the pool has less protection than it will have.',
    };
  const hasSteppedIn = parts.spares.some((spare) => statusOf.get(spare.id) === 'active');
  if (gone.length > 0 && hasSteppedIn)
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: `${names}; a spare has taken the place, and nothing is less safe. Replace it, so that there is a spare again.`,
    };
  const troubled = readings.find((reading) => reading.detail?.includes('write errors'));
  if (troubled)
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: 'A member has had write errors. Check cable and power, and replace it when errors go on.',
    };
  const busy = array.action === 'resync' || array.waiting;
  return { poolStatus: busy ? 'resync' : 'active', health: 'healthy', healthText: null };
}

export interface StatusParsers {
  derivedUuid: PluginSdk['derivedUuid'];
  array: typeof readArray;
  examine: (text: string) => Superblock[];
}

function stoppedReading(
  drive: PoolDrive,
  at: { present: boolean; superblock: Superblock | undefined; newest: Superblock | undefined },
): Omit<MemberReading, 'driveId'> {
  if (!at.present) return { status: 'missing', detail: null };
  if (!at.superblock || !at.newest) return { status: 'faulty', detail: 'carries no superblock of the array' };
  if (drive.role === 'spare') return { status: 'spare', detail: null };
  if (!isCurrent(at.superblock, at.newest))
    return { status: 'faulty', detail: 'was away while the others went on' };
  return at.superblock.filling
    ? { status: 'rebuilding', detail: 'was not filled to its end; that goes on when the pool is mounted' }
    : { status: 'active', detail: null };
}

/** The array does not run: what its drives carry is read instead. */
async function stoppedReadings(
  context: PluginContext,
  parts: Parts,
  parsers: StatusParsers,
): Promise<{ readings: MemberReading[]; judgement: Judgement }> {
  const drives = [...parts.data, ...parts.spares];
  const isPresent = (drive: PoolDrive): boolean => context.path({ drive: drive.id }) !== null;
  const paths = new Map(drives.map((drive) => [drive.id, context.path(parts.memberOf(drive))]));
  const there = [...paths.values()].filter((path) => path !== null);
  // A device without a superblock makes it end with 1; it still tells of the others.
  const options = { okExitCodes: [0, 1] };
  const text = there.length === 0 ? '' : (await context.read(MDADM, ['--examine', ...there], options)).stdout;
  const superblocks = parsers.examine(text).filter((one) => one.arrayUuid === parts.array.array);
  const newest = newestOf(superblocks);
  const readings = drives.map((drive): MemberReading => {
    const superblock = superblocks.find((one) => one.path === paths.get(drive.id));
    return { driveId: drive.id, ...stoppedReading(drive, { present: isPresent(drive), superblock, newest }) };
  });
  const lost = parts.data.filter(
    (drive) => readings.find((reading) => reading.driveId === drive.id)?.status !== 'active',
  );
  if (lost.length === 0)
    return { readings, judgement: { poolStatus: 'inactive', health: 'healthy', healthText: null } };
  const isFilling = (drive: PoolDrive): boolean =>
    readings.find((reading) => reading.driveId === drive.id)?.status === 'rebuilding';
  if (lost.every(isFilling) && lost.length <= tolerated(parts))
    return {
      readings,
      judgement: {
        poolStatus: 'degraded',
        health: 'warning',
        healthText: `${areThere(lost, 'not filled yet')}. That goes on when the pool is mounted.`,
      },
    };
  const allMissing = !lost.some(isPresent);
  const tooMany = lost.length > tolerated(parts);
  const judgement: Judgement = {
    poolStatus: tooMany ? (allMissing ? 'missing' : 'failed') : 'degraded',
    health: 'critical',
    healthText: `${areThere(lost, allMissing ? 'not there' : 'not usable for the array as it is')}. ${
      tooMany
        ? 'Plug in what is missing.'
        : 'The pool can be mounted without; then add it again or replace it.'
    }`,
  };
  return { readings, judgement };
}

export async function status(
  context: PluginContext,
  spec: PoolSpec,
  parsers: StatusParsers,
): Promise<PoolReading> {
  const parts = partsOf(parsers, spec);
  const path = context.path(parts.array);
  const array = path === null ? null : await parsers.array(basename(path));
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  if (path === null || !array || !isStarted(array)) {
    const { readings, judgement } = await stoppedReadings(context, parts, parsers);
    return {
      ...judgement,
      mounted: false,
      sizeBytes: null,
      usedBytes: null,
      availableBytes: null,
      members: readings,
    };
  }
  const mounted = entry?.source === path;
  const { byDrive, readings, ...counts } = membersOf(context, parts, array);
  const usage = mounted ? await context.usage(spec.mountPath) : null;
  const driveOf = (member: ArrayMember): string => {
    const id = [...byDrive].find(([, candidate]) => candidate === member)?.[0];
    const drive = spec.drives.find((candidate) => candidate.id === id);
    return drive ? nameOf(drive) : member.name;
  };
  const judgement = judgeRunning(parts, array, counts, readings, {
    mounted,
    readOnly: entry?.readOnly ?? false,
  });
  const lastScrub = lastScrubOf(array);
  return {
    ...judgement,
    poolStatus: judgement.health === 'healthy' && !mounted ? 'inactive' : judgement.poolStatus,
    mounted,
    sizeBytes: usage?.sizeBytes ?? null,
    usedBytes: usage?.usedBytes ?? null,
    availableBytes: usage?.availableBytes ?? null,
    members: readings,
    work: workOf(array, driveOf),
    ...(lastScrub === undefined ? {} : { lastScrub }),
  };
}
