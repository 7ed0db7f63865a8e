/** What the machine says about a ZFS pool. Changes nothing, and never waits long for a pool whose drives are gone. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type {
  KernelWork,
  MemberReading,
  PluginContext,
  PoolDrive,
  PoolReading,
  PoolSpec,
  ScrubReading,
} from '../../src/lib/plugin-api/storage';
import { isLayout, tolerance } from './layout';
import { leavesOf, type ShownPool, type Vdev } from './parse-status';
import { nameOf, roleOf } from './plan';
import { datasetOf, devicePath, partitionOf, poolOf } from './pool-names';
import { readLabel, readPool, readSpace, type Parsers } from './reading';

type Imported = ShownPool & { suspended: boolean };
type Judgement = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;
type Derive = Pick<PluginSdk, 'derivedUuid'>;

const listOf = (drives: PoolDrive[]): string =>
  `${drives.length === 1 ? 'Drive' : 'Drives'} ${drives.map(nameOf).join(', ')} ${drives.length === 1 ? 'is' : 'are'}`;

/** As zpool says it of a device that it has in use and trusts no more. */
const TOO_MANY = 'too many errors';

type Seen = Pick<MemberReading, 'status' | 'detail'>;

function stateOf(leaf: Vdev, above: Vdev[], present: boolean): Seen {
  if (!present) return { status: 'missing', detail: null };
  const building = leaf.note?.includes('resilver') ?? false;
  if (building) return { status: 'rebuilding', detail: null };
  switch (leaf.state) {
    case 'ONLINE':
      return leaf.errors > 0
        ? { status: 'active', detail: `${leaf.errors} errors while reading, writing or comparing checksums` }
        : { status: 'active', detail: null };
    case 'AVAIL':
      return { status: 'spare', detail: null };
    case 'INUSE':
      return { status: 'active', detail: 'stands in for another drive' };
    case 'OFFLINE':
      return { status: 'faulty', detail: 'was taken offline' };
    case 'UNAVAIL':
    case 'REMOVED':
      return { status: 'faulty', detail: 'is plugged in, and the pool does not use it: re-add it' };
    default:
      return {
        status: 'faulty',
        detail: [leaf.note, above.at(-1)?.note].find(Boolean) ?? TOO_MANY,
      };
  }
}

function membersOf(sdk: Derive, context: PluginContext, spec: PoolSpec, pool: ShownPool): MemberReading[] {
  const leaves = leavesOf(pool.vdevs);
  return spec.drives.map((drive) => {
    const path = devicePath(sdk, spec, drive);
    const found = leaves.find(({ leaf }) => leaf.path === path);
    const present = context.path({ drive: drive.id }) !== null;
    if (!found)
      return {
        driveId: drive.id,
        status: present ? 'faulty' : 'missing',
        detail: present ? 'is no member of the pool' : null,
      };
    return { driveId: drive.id, ...stateOf(found.leaf, found.above, present) };
  });
}

/** A spare or cache says in its label only that it is one. */
async function restingMembers(
  context: PluginContext,
  parsers: Parsers,
  spec: PoolSpec,
): Promise<MemberReading[]> {
  const readings: MemberReading[] = [];
  for (const drive of spec.drives) {
    const present = context.path({ drive: drive.id }) !== null;
    const label = present
      ? await readLabel(context, parsers, { drive: drive.id, partition: partitionOf(spec, drive) })
      : null;
    const ours = label !== null && (label.pool === null || label.pool === poolOf(spec));
    readings.push({
      driveId: drive.id,
      status: !present ? 'missing' : !ours ? 'faulty' : roleOf(drive) === 'spare' ? 'spare' : 'active',
      detail:
        !present || ours ? null : label ? `belongs to the pool ${label.pool ?? ''}` : 'holds nothing of ZFS',
    });
  }
  return readings;
}

function worksOf(spec: PoolSpec, pool: ShownPool, members: MemberReading[]): KernelWork[] {
  const { scan } = pool;
  if (!scan || (scan.state !== 'running' && scan.state !== 'paused')) return [];
  const onto = spec.drives.filter((drive) =>
    members.some((member) => member.driveId === drive.id && member.status === 'rebuilding'),
  );
  const target = onto.length > 0 ? ` onto drive ${onto.map(nameOf).join(', ')}` : '';
  return [
    {
      kind: scan.kind === 'scrub' ? 'scrub' : 'rebuild',
      title: scan.kind === 'scrub' ? 'Reading everything and mending what is damaged' : `Rebuilding${target}`,
      percent: scan.percent,
      bytesPerSecond: scan.bytesPerSecond,
      secondsLeft: scan.secondsLeft,
      paused: scan.state === 'paused',
    },
  ];
}

/** ZFS remembers its last scan only: after a resilver it cannot be told how the last scrub ended. */
function lastScrubOf(pool: ShownPool, members: MemberReading[]): { lastScrub?: ScrubReading | null } {
  const { scan } = pool;
  if (!scan) return { lastScrub: null };
  if (scan.kind !== 'scrub' || scan.state === 'running' || scan.state === 'paused') return {};
  const damaged = scan.bytes > 0 ? Math.max(1, members.filter((member) => member.detail).length) : 0;
  return {
    lastScrub: {
      endedAt: scan.at,
      state: scan.state === 'finished' ? 'finished' : 'cancelled',
      errors: scan.errors + damaged,
      uncorrectable: scan.errors,
    },
  };
}

function judgeImported(spec: PoolSpec, pool: Imported, members: MemberReading[]): Judgement {
  const having = (status: MemberReading['status']): PoolDrive[] =>
    spec.drives.filter((drive) => members.some((one) => one.driveId === drive.id && one.status === status));
  const missing = having('missing');
  const faulty = having('faulty');
  const gone = [...missing, ...faulty];
  if (pool.suspended || pool.state === 'UNAVAIL' || pool.state === 'FAULTED')
    return {
      poolStatus: 'failed',
      health: 'critical',
      healthText: `The pool is suspended: ${gone.length > 0 ? `${listOf(gone)} not there, and ` : ''}ZFS holds back everything until enough drives are back. Plug them in, then re-add them; if that does not help, restart the machine.`,
    };
  if (pool.dataErrors !== 0 && pool.dataErrors !== null)
    return {
      poolStatus: gone.length > 0 ? 'degraded' : 'active',
      health: 'critical',
      healthText: `${pool.dataErrors} files or blocks are damaged and cannot be mended. Restore them from a backup; "zpool status -v ${pool.name}" names them.`,
    };
  const data = gone.filter((drive) => roleOf(drive) === 'data' || roleOf(drive) === 'log');
  const erring = data.filter((drive) =>
    members.some((one) => one.driveId === drive.id && one.detail?.includes(TOO_MANY)),
  );
  if (erring.length > 0 && erring.length === data.length)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${listOf(erring)} reporting too many errors. What could be mended was mended. Check cable and power and re-add it, or replace it.`,
    };
  if (data.length > 0 || pool.state === 'DEGRADED')
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${data.length > 0 ? `${listOf(data)} not in use: the pool has less redundancy, or none.` : 'The pool has lost redundancy.'} Plug in again what is missing and re-add it, or replace it.`,
    };
  if (having('rebuilding').length > 0 || (pool.scan?.kind === 'resilver' && pool.scan.state === 'running'))
    return { poolStatus: 'resync', health: 'warning', healthText: 'The pool is being rebuilt.' };
  return { poolStatus: 'active', ...warningOf(spec, pool, members, gone) };
}

function warningOf(
  spec: PoolSpec,
  pool: ShownPool,
  members: MemberReading[],
  gone: PoolDrive[],
): Pick<PoolReading, 'health' | 'healthText'> {
  const erring = spec.drives.filter((drive) =>
    members.some(
      (one) => one.driveId === drive.id && one.status === 'active' && one.detail?.includes('errors'),
    ),
  );
  if (erring.length > 0)
    return {
      health: 'warning',
      healthText: `${listOf(erring)} reporting errors; what was damaged was mended. Check cable and power, and replace it when errors go on.`,
    };
  if (gone.length > 0) return { health: 'warning', healthText: `${listOf(gone)} not in use.` };
  return pool.status && /features|upgrade/i.test(pool.status) === false && pool.scan?.state !== 'running'
    ? { health: 'warning', healthText: pool.status }
    : { health: 'healthy', healthText: null };
}

function judgeResting(spec: PoolSpec, members: MemberReading[]): Judgement {
  const data = spec.drives.filter((drive) => roleOf(drive) === 'data');
  const lost = data.filter((drive) =>
    members.some((one) => one.driveId === drive.id && (one.status === 'missing' || one.status === 'faulty')),
  );
  const allowed = isLayout(spec.layout) ? tolerance(spec.layout, data.length) : 0;
  if (lost.length > allowed)
    return {
      poolStatus: 'missing',
      health: 'critical',
      healthText: `${listOf(lost)} not there, and the pool needs ${data.length - allowed} of ${data.length} drives. Plug in what is missing.`,
    };
  if (lost.length > 0)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${listOf(lost)} not there. Plug it in again or replace it.`,
    };
  return { poolStatus: 'inactive', health: 'healthy', healthText: null };
}

const NO_SPACE = { sizeBytes: null, usedBytes: null, availableBytes: null };

/** Never statfs: on a pool that waits for its drives it would not come back. */
export async function usage(
  context: PluginContext,
  spec: PoolSpec,
  parsers: Parsers,
): Promise<{ sizeBytes: number; usedBytes: number; availableBytes: number } | null> {
  const name = poolOf(spec);
  const pool = await readPool(context, parsers, name);
  if (!pool || pool.suspended) return null;
  const { usedBytes, availableBytes } = await readSpace(context, parsers, name);
  return { sizeBytes: usedBytes + availableBytes, usedBytes, availableBytes };
}

export async function status(
  sdk: Derive,
  context: PluginContext,
  spec: PoolSpec,
  parsers: Parsers,
): Promise<PoolReading> {
  const name = poolOf(spec);
  const pool = await readPool(context, parsers, name);
  const mounted = context
    .mounts()
    .some((mount) => mount.path === spec.mountPath && mount.source === datasetOf(name));
  if (!pool) {
    const members = await restingMembers(context, parsers, spec);
    return { ...judgeResting(spec, members), mounted, ...NO_SPACE, members };
  }
  const members = membersOf(sdk, context, spec, pool);
  const judgement = judgeImported(spec, pool, members);
  const space = judgement.poolStatus === 'failed' ? null : await readSpace(context, parsers, name);
  return {
    ...judgement,
    mounted,
    ...(space ? { sizeBytes: space.usedBytes + space.availableBytes, ...space } : NO_SPACE),
    members,
    work: worksOf(spec, pool, members),
    ...lastScrubOf(pool, members),
  };
}
