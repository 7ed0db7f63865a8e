/** Arrays that are on the drives of this machine, by their superblocks. Nothing is assembled. */
import { basename } from 'node:path';
import type { Json } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { FoundPool, PluginContext } from '../../src/lib/plugin-api/storage';
import { isStarted, readArray } from './array';
import { isFilesystem } from './filesystems';
import { isLayout } from './layouts';
import { guidOfName, MDADM } from './mdadm';
import { isCurrent, newestOf, type Superblock } from './parse-examine';

interface FoundMember extends Superblock {
  driveId: string;
  partition: number;
}
interface OnArray {
  path: string | null;
  filesystem: { type: string; uuid: string | null; label: string | null } | null;
  mountedAt: string | null;
}

/** A device on which mdadm finds nothing makes it end with 1; it still tells of the others. */
async function readSuperblocks(
  context: PluginContext,
  parse: (text: string) => Superblock[],
): Promise<FoundMember[]> {
  const places = context.drives().flatMap((drive) =>
    [0, ...drive.partitions].flatMap((partition) => {
      const ref = partition === 0 ? { drive: drive.id } : { drive: drive.id, partition };
      const path = context.path(ref);
      return path === null ? [] : [{ path, driveId: drive.id, partition }];
    }),
  );
  if (places.length === 0) return [];
  const argv = ['--examine', ...places.map((place) => place.path)];
  const { stdout } = await context.read(MDADM, argv, { okExitCodes: [0, 1], timeoutMs: 30_000 });
  return parse(stdout).flatMap((superblock) => {
    const place = places.find((candidate) => candidate.path === superblock.path);
    return place ? [{ ...superblock, driveId: place.driveId, partition: place.partition }] : [];
  });
}

async function readOnArray(context: PluginContext, uuid: string): Promise<OnArray> {
  const path = context.path({ array: uuid });
  const array = path === null ? null : await readArray(basename(path));
  if (path === null || !array || !isStarted(array)) return { path: null, filesystem: null, mountedAt: null };
  const mount = context.mounts().findLast((entry) => entry.source === path);
  return { path, filesystem: await context.probe(path), mountedAt: mount?.path ?? null };
}

/** A superblock that was left behind says less than the newest one. */
function membersOf(members: FoundMember[], newest: FoundMember): FoundPool['members'] {
  let spareSlot = newest.raidDevices;
  return members.map((member): FoundPool['members'][number] => {
    if (member.slot === null || member.replacement)
      return {
        ...{ driveId: member.driveId, slot: spareSlot++, role: 'spare' },
        status: member.replacement ? 'rebuilding' : 'spare',
      };
    return {
      driveId: member.driveId,
      slot: member.slot,
      role: 'data',
      status: isCurrent(member, newest) ? (member.filling ? 'rebuilding' : 'active') : 'faulty',
    };
  });
}

function obstacleOf(newest: FoundMember, on: OnArray, byCairn: boolean): string | null {
  if (!isLayout(newest.level)) return `Cairn has no layout for ${newest.level} arrays.`;
  if (on.path === null)
    return byCairn
      ? null
      : `The array does not run, so what is on it cannot be seen. Start it: mdadm --assemble --scan --uuid=${newest.arrayUuid}`;
  if (!on.filesystem) return 'No filesystem is on the array.';
  return isFilesystem(on.filesystem.type)
    ? null
    : `On the array is ${on.filesystem.type}, not a filesystem that Cairn takes over.`;
}

function foundPool(sdk: PluginSdk, members: FoundMember[], on: OnArray): FoundPool | null {
  const newest = newestOf(members);
  if (!newest) return null;
  const named = guidOfName(newest.name);
  const byCairn = named !== null && sdk.derivedUuid(named, 'array') === newest.arrayUuid;
  const list = membersOf(members, newest);
  const slots = new Set(list.filter((member) => member.role === 'data').map((member) => member.slot));
  const missing = Array.from({ length: newest.raidDevices }, (_, slot) => slot)
    .filter((slot) => !slots.has(slot))
    .map((slot) => ({ slot, text: `the member of place ${slot}` }));
  const partitions: Record<string, Json> = {};
  for (const member of members) partitions[member.driveId] = member.partition;
  const type = on.filesystem?.type;
  const obstacle = obstacleOf(newest, on, byCairn);
  const title = `md ${newest.level.toUpperCase()} array "${newest.name}"`;
  return {
    key: newest.arrayUuid,
    guid: (byCairn ? named : on.filesystem?.uuid) ?? sdk.derivedUuid(newest.arrayUuid, 'pool'),
    label: on.filesystem?.label ?? (named === null ? newest.name.split(':').at(-1) || 'array' : ''),
    layout: isLayout(newest.level) ? newest.level : null,
    options: {
      // Of an array that does not run nobody can see it; the pool's identity file tells.
      ...(isFilesystem(type) ? { filesystem: type } : {}),
      chunkKib: String(newest.chunkKib ?? 512),
      bitmap: newest.bitmap,
    },
    facts: { arrayUuid: newest.arrayUuid, partitions, running: on.path !== null },
    members: list,
    missing,
    sizeBytes: newest.sizeBytes,
    description: type ? `${title} with ${type}` : title,
    byCairn,
    mountedAt: on.mountedAt,
    obstacle,
    sealed: obstacle,
  };
}

export async function find(
  context: PluginContext,
  sdk: PluginSdk,
  parse: (text: string) => Superblock[],
): Promise<FoundPool[]> {
  const byArray = Map.groupBy(await readSuperblocks(context, parse), (member) => member.arrayUuid);
  const pools: FoundPool[] = [];
  for (const [uuid, members] of byArray) {
    const pool = foundPool(sdk, members, await readOnArray(context, uuid));
    if (pool) pools.push(pool);
  }
  return pools;
}
