/** What the machine says about an LVM pool. Changes nothing. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type {
  KernelWork,
  MemberReading,
  PluginContext,
  PoolDrive,
  PoolReading,
  PoolSpec,
} from '../../src/lib/plugin-api/storage';
import { judge } from './judge';
import { mappedOf, nameOf, namesOf, physicalUuid } from './names';
import type { Group, Volume } from './parse-report';
import { drivesBelow, partsOf, see, volumeIn, type Parsers } from './reading';

type Member = Pick<MemberReading, 'status' | 'detail'>;

/** Copies on a drive that are not what the others are. */
const staleOn = (group: Group, volume: Volume, path: string): Volume[] =>
  partsOf(group, volume.name).filter(
    (part) =>
      (part.kind === 'I' || part.health === 'refresh needed') && drivesBelow(group, part).includes(path),
  );

async function memberOf(
  context: PluginContext,
  drive: PoolDrive,
  uuid: string,
  group: Group | null,
  volume: Volume | null,
): Promise<Member> {
  const path = context.path({ drive: drive.id });
  if (path === null) return { status: 'missing', detail: null };
  const physical = group?.physical.find((one) => one.uuid === uuid);
  if (physical && physical.path === null)
    return {
      status: 'faulty',
      detail: 'is plugged in and cannot be read: it gives no answer, or something else is on it',
    };
  if (!group || !physical?.path) {
    const found = await context.probe(path);
    return { status: 'faulty', detail: `holds ${found ? `${found.type} of another origin` : 'nothing'}` };
  }
  if (physical.markedMissing)
    return { status: 'faulty', detail: 'was away while the pool was changed; it has to be taken in again' };
  // Of a volume that does not run LVM cannot say what is in sync, and calls every copy stale.
  const stale = volume?.active ? staleOn(group, volume, physical.path) : [];
  // While all are made the same, or spread anew, none of them counts as in sync.
  const all = volume?.syncAction === 'resync' || volume?.syncAction === 'reshape';
  if (stale.length === 0 || all) return { status: 'active', detail: null };
  if (volume?.syncAction === 'recover')
    return { status: 'rebuilding', detail: 'its copy is being built again' };
  return { status: 'faulty', detail: 'its copy is not up to date' };
}

const WORK: Record<string, [KernelWork['kind'], string]> = {
  resync: ['resync', 'Making all copies the same'],
  recover: ['rebuild', 'Building a copy again'],
  reshape: ['reshape', 'Spreading everything over more drives'],
  check: ['scrub', 'Comparing the copies'],
  repair: ['scrub', 'Comparing the copies and mending differences'],
};

function workOf(
  spec: PoolSpec,
  group: Group | null,
  volume: Volume | null,
  members: MemberReading[],
): KernelWork[] {
  const unknown = { bytesPerSecond: null, secondsLeft: null, paused: false };
  const moves = (group?.volumes ?? [])
    .filter((one) => one.movesFrom !== null)
    .map((one): KernelWork => ({
      kind: 'evacuate',
      title: 'Moving data to another drive',
      percent: one.copyPercent,
      ...unknown,
    }));
  const known = WORK[volume?.syncAction ?? ''];
  if (!known) return moves;
  const [kind, title] = known;
  const onto = spec.drives
    .filter((drive) =>
      members.some((member) => member.driveId === drive.id && member.status === 'rebuilding'),
    )
    .map(nameOf);
  const whole = kind === 'rebuild' && onto.length > 0 ? `Rebuilding onto drive ${onto.join(', ')}` : title;
  return [...moves, { kind, title: whole, percent: volume?.copyPercent ?? null, ...unknown }];
}

type Usage = Pick<PoolReading, 'sizeBytes' | 'usedBytes' | 'availableBytes'>;
/** What a thin volume promises beyond what its pool has is not there: free is what both have. */
async function usageOf(context: PluginContext, spec: PoolSpec, pool: Volume | null): Promise<Usage> {
  const usage = await context.usage(spec.mountPath);
  if (!pool || pool.dataPercent === null) return usage;
  const free = Math.floor(pool.sizeBytes * (1 - pool.dataPercent / 100));
  return { ...usage, availableBytes: Math.min(usage.availableBytes, free) };
}

export async function status(
  sdk: PluginSdk,
  parsers: Parsers,
  context: PluginContext,
  spec: PoolSpec,
): Promise<PoolReading> {
  const { group: name, groupUuid, volume: volumeName, thinPool } = namesOf(spec);
  const drives = spec.drives.map((drive) => drive.id);
  const { group } = await see(context, parsers, { drives, group: name, guid: spec.guid, groupUuid });
  const volume = group && volumeIn(group, volumeName);
  const pool = group && thinPool !== null ? volumeIn(group, thinPool) : null;
  const members = await Promise.all(
    spec.drives.map(async (drive) => ({
      driveId: drive.id,
      ...(await memberOf(context, drive, physicalUuid(sdk, spec, drive), group, volume)),
    })),
  );
  const node = context.path(mappedOf(spec));
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  const mounted = entry !== undefined && node !== null && isNode(entry.source, node, mappedOf(spec).mapped);
  const usage = mounted ? await usageOf(context, spec, pool) : null;
  return {
    ...judge({ spec, members, group, volume, pool, mounted, readOnly: entry?.readOnly ?? false }),
    mounted,
    sizeBytes: usage?.sizeBytes ?? null,
    usedBytes: usage?.usedBytes ?? null,
    availableBytes: usage?.availableBytes ?? null,
    members,
    work: workOf(spec, group, volume, members),
  };
}

/** The mount table says /dev/dm-3 or /dev/mapper/group-volume, as it was mounted. */
const isNode = (source: string, node: string, mapped: string): boolean =>
  source === node || source === `/dev/mapper/${mapped}`;
