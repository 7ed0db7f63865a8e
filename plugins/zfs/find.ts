/** Pools of ZFS on the drives of this machine, imported or not. Imports nothing. */
import type { DriveRole, FoundPool, MemberReading, PluginContext } from '../../src/lib/plugin-api/storage';

import { isLayout, type LayoutId } from './layout';
import type { ImportableDevice, ImportablePool } from './parse-import';
import { leavesOf, type DeviceState } from './parse-status';
import { datasetOf, guidOf } from './pool-names';
import { listPools, readPool, type Parsers } from './reading';
import { PARTITIONS, READ, ZPOOL } from './zfs';

interface Device {
  /** As the tool names it: a path, or the last part of one. */
  name: string;
  state: DeviceState | null;
  section: ImportableDevice['section'];
  /** Name of the vdev above it. */
  above: string | null;
}
interface Seen {
  name: string;
  guid: string;
  label: string | null;
  devices: Device[];
  imported: boolean;
  status: string | null;
}

const LINKS = ['/dev', '/dev/disk/by-id', PARTITIONS, '/dev/disk/by-path', '/dev/mapper'];
const ROLES: Record<Device['section'], DriveRole> = {
  data: 'data',
  logs: 'log',
  cache: 'cache',
  spares: 'spare',
  special: 'data',
  dedup: 'data',
};

/** Of a partition that is gone, only its GUID is known. */
function driveOf(context: PluginContext, name: string): string | null {
  const paths = name.startsWith('/') ? [name] : LINKS.map((folder) => `${folder}/${name}`);
  for (const path of paths) {
    const id = context.driveIdOf(path) ?? context.driveIdOf(`${path}-part1`);
    if (id !== null) return id;
  }
  return null;
}

function statusOf(state: DeviceState | null): MemberReading['status'] {
  if (state === 'ONLINE' || state === null) return 'active';
  if (state === 'AVAIL' || state === 'INUSE') return 'spare';
  return state === 'UNAVAIL' || state === 'REMOVED' ? 'missing' : 'faulty';
}

/** null: vdevs of several kinds, or of one that Cairn has no layout for. */
export function layoutOf(devices: Device[]): LayoutId | null {
  const kinds = new Set(
    devices
      .filter((device) => device.section === 'data')
      .map(({ above }) => (above === null ? 'stripe' : above.replace(/-\d+$/, ''))),
  );
  const [kind, ...others] = kinds;
  return kind !== undefined && others.length === 0 && isLayout(kind) ? kind : null;
}

const seenImportable = (pool: ImportablePool): Seen => ({
  name: pool.name,
  guid: pool.guid,
  label: pool.comment,
  devices: pool.devices,
  imported: false,
  status: pool.status,
});

async function seenImported(context: PluginContext, parsers: Parsers): Promise<Seen[]> {
  const found: Seen[] = [];
  for (const { name, guid } of await listPools(context, parsers)) {
    const pool = await readPool(context, parsers, name);
    if (!pool) continue;
    const comment = await context.read(ZPOOL, ['get', '-Hp', '-o', 'value', 'comment', name], READ);
    found.push({
      name,
      guid,
      label: comment.stdout.trim().replace(/^-$/, '') || null,
      devices: leavesOf(pool.vdevs).map(({ leaf, above }) => ({
        name: leaf.path ?? leaf.name,
        state: leaf.state,
        section: leaf.section,
        above: above.find((vdev) => !/^(replacing|spare)-/.test(vdev.name))?.name ?? null,
      })),
      imported: true,
      status: pool.status,
    });
  }
  return found;
}

function obstacleOf(pool: Seen, ours: boolean, layout: LayoutId | null): string | null {
  if (!ours)
    return 'It was not made by Cairn: its datasets are mounted where ZFS says, not as one pool. Use it with zpool and zfs, or copy its files to a pool of Cairn.';
  if (layout === null) return 'It has vdevs of several kinds.';
  if (pool.status && /another system/.test(pool.status))
    return `Another machine used it last and has not exported it. Export it there; if that machine is gone for good, run once: zpool import -f -N -o cachefile=none ${pool.guid}`;
  return null;
}

function foundOf(context: PluginContext, derive: (key: string) => string, pool: Seen): FoundPool {
  const guid = guidOf(pool.name);
  const layout = layoutOf(pool.devices);
  const placed = pool.devices.map((device, slot) => ({
    device,
    slot,
    driveId: driveOf(context, device.name),
  }));
  const dataset = guid === null ? pool.name : datasetOf(pool.name);
  return {
    key: pool.guid,
    guid: guid ?? derive(pool.guid),
    label: guid === null ? pool.name : (pool.label ?? `pool-${guid.slice(0, 8)}`),
    layout: guid === null ? null : layout,
    options: {},
    facts: { name: pool.name, guid: pool.guid },
    members: placed.flatMap(({ device, slot, driveId }) =>
      driveId === null
        ? []
        : [{ driveId, slot, role: ROLES[device.section], status: statusOf(device.state) }],
    ),
    missing: placed
      .filter(({ driveId }) => driveId === null)
      .map(({ device, slot }) => ({ slot, text: `the drive that was ${device.name}` })),
    sizeBytes: null,
    description: `ZFS pool "${pool.name}" (${layout ?? 'several kinds of vdevs'})${pool.imported ? ', imported' : ''}`,
    byCairn: guid !== null,
    mountedAt: context.mounts().find((mount) => mount.source === dataset)?.path ?? null,
    obstacle: obstacleOf(pool, guid !== null, layout),
  };
}

/** Only where a signature of ZFS was seen: other drives are not woken for it. Caches and spares carry none. */
async function importable(context: PluginContext, parsers: Parsers): Promise<ImportablePool[]> {
  const paths: string[] = [];
  for (const { id, path, partitions } of context.drives())
    for (const place of [path, ...partitions.map((partition) => context.path({ drive: id, partition }))])
      if (place !== null && (await context.probe(place))?.type === 'zfs_member') paths.push(place);
  if (paths.length === 0) return [];
  const argv = ['import', ...paths.flatMap((place) => ['-d', place])];
  const { stdout } = await context.read(ZPOOL, argv, { timeoutMs: 30_000, okExitCodes: [0, 1] });
  return parsers.importable(stdout);
}

export async function find(
  context: PluginContext,
  parsers: Parsers,
  derive: (key: string) => string,
): Promise<FoundPool[]> {
  const imported = await seenImported(context, parsers);
  const resting = (await importable(context, parsers)).map(seenImportable);
  return [...imported, ...resting].map((pool) => foundOf(context, derive, pool));
}
