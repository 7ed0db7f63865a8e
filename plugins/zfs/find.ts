/** Pools of ZFS on the drives of this machine, imported or not. Imports nothing. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { DriveRole, FoundPool, MemberReading, PluginContext } from '../../src/lib/plugin-api/storage';

import { isLayout, type LayoutId } from './layout';
import type { ImportableDevice, ImportablePool } from './parse-import';
import { leavesOf, type DeviceState } from './parse-status';
import { datasetOf, guidOf, type FoundDevice } from './pool-names';
import { listPools, readPool, type Parsers } from './reading';
import { PARTITIONS, READ, ZDB, ZPOOL } from './zfs';

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

/** Why it can neither be looked into nor adopted. */
function closedBecause(pool: Seen, ours: boolean, layout: LayoutId | null): string | null {
  if (layout === null) return 'It has vdevs of several kinds, or of one that Cairn does not make.';
  if (pool.status && /another system/.test(pool.status))
    return `Another machine used it last and has not exported it. Export it there; if that machine is gone for good, run once: zpool import -f -N -o cachefile=none ${pool.guid}`;
  if (!ours && pool.imported)
    return `This system has imported it, and would mount it again by itself. Let go of it first: zpool export ${pool.name}`;
  return null;
}

/** Of a pool of another system it has to be known where each device is, and where its files are. */
function obstacleOf(pool: Seen, placed: Placed[], datasets: string[] | null): string | null {
  const gone = placed.filter(({ driveId }) => driveId === null);
  if (gone.length > 0)
    return `${gone.map(({ device }) => device.name).join(', ')} of it ${gone.length === 1 ? 'is' : 'are'} not there. Plug in what is missing, then adopt it.`;
  const nameless = placed.find(({ place }) => place === null);
  if (nameless)
    return `Its device ${nameless.device.name} is no partition with a GUID of its own, so it could not be known again.`;
  if (datasets === null)
    return `What datasets it has cannot be read from its drives. Look at it in a shell: zpool import -N -o readonly=on ${pool.name}, then zfs list`;
  const others = datasets.filter((dataset) => dataset !== pool.name);
  if (others.length > 0)
    return `It has ${datasets.length} datasets (${others.join(', ')}); Cairn can take over a pool that keeps everything in its first one. Use it with zpool and zfs, or copy its files to a pool of Cairn.`;
  return null;
}

interface Placed {
  device: Device;
  slot: number;
  driveId: string | null;
  /** Of a pool of another system; null: it has no lasting name. */
  place: FoundDevice | null;
}

function foundOf(asked: Asked, pool: Seen): FoundPool {
  const { context, derive, places, datasets } = asked;
  const guid = guidOf(pool.name);
  const layout = layoutOf(pool.devices);
  const placed = pool.devices.map((device, slot): Placed => {
    const driveId = driveOf(context, device.name);
    const place = driveId === null || guid !== null ? null : lastingPlace(places, driveId, device.name);
    return { device, slot, driveId, place };
  });
  const closed = closedBecause(pool, guid !== null, layout);
  const obstacle = guid === null ? obstacleOf(pool, placed, datasets) : null;
  const devices = Object.fromEntries(
    placed.flatMap(({ driveId, place }) => (driveId && place ? [[driveId, { ...place }]] : [])),
  );
  return {
    key: pool.guid,
    guid: guid ?? derive(pool.guid),
    label: guid === null ? pool.name : (pool.label ?? `pool-${guid.slice(0, 8)}`),
    layout: guid === null && closed !== null ? null : layout,
    options: {},
    facts: { name: pool.name, guid: pool.guid, ...(guid === null ? { devices } : {}) },
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
    mountedAt: context.mounts().find((mount) => mount.source === datasetOf(pool.name))?.path ?? null,
    obstacle: closed ?? obstacle,
  };
}

interface Place {
  driveId: string;
  partition: number;
  path: string;
}
/** Only where a signature of ZFS was seen: other drives are not woken for it. Caches and spares carry none. */
async function placesOf(context: PluginContext): Promise<Place[]> {
  const places: Place[] = [];
  for (const { id, path, partitions } of context.drives())
    for (const partition of [0, ...partitions]) {
      const at = partition === 0 ? path : context.path({ drive: id, partition });
      if (at !== null && (await context.probe(at))?.type === 'zfs_member')
        places.push({ driveId: id, partition, path: at });
    }
  return places;
}

/** udev's link to a partition, which is the same at every port and on every machine. */
function lastingPlace(places: Place[], driveId: string, name: string): FoundDevice | null {
  const ofDrive = places.filter((place) => place.driveId === driveId && place.partition > 0);
  const place = ofDrive.length === 1 ? ofDrive[0] : ofDrive.find(({ path }) => basename(path) === name);
  if (!place || !existsSync(PARTITIONS)) return null;
  const link = readdirSync(PARTITIONS)
    .map((entry) => `${PARTITIONS}/${entry}`)
    .find((path) => existsSync(path) && realpathSync(path) === place.path);
  return link === undefined ? null : { path: link, partition: place.partition };
}

async function importable(
  context: PluginContext,
  parsers: Parsers,
  places: Place[],
): Promise<ImportablePool[]> {
  if (places.length === 0) return [];
  const argv = ['import', ...places.flatMap(({ path }) => ['-d', path])];
  const { stdout } = await context.read(ZPOOL, argv, { timeoutMs: 30_000, okExitCodes: [0, 1] });
  return parsers.importable(stdout);
}

/** Of a pool that is not imported, by its drives alone; nothing is changed (zdb(8)). null: they cannot be read. */
async function datasetsOf(
  context: PluginContext,
  parsers: Parsers,
  pool: Seen,
  places: Place[],
): Promise<string[] | null> {
  if (pool.imported || guidOf(pool.name) !== null) return [];
  const argv = ['-e', ...places.flatMap(({ path }) => ['-p', path]), '-d', pool.name];
  const { stdout, exitCode } = await context.read(ZDB, argv, { timeoutMs: 30_000, okExitCodes: [0, 1, 2] });
  return exitCode === 0 ? parsers.datasets(stdout) : null;
}

interface Asked {
  context: PluginContext;
  derive: (key: string) => string;
  places: Place[];
  datasets: string[] | null;
}

export async function find(
  context: PluginContext,
  parsers: Parsers,
  derive: (key: string) => string,
): Promise<FoundPool[]> {
  const places = await placesOf(context);
  const imported = await seenImported(context, parsers);
  const resting = (await importable(context, parsers, places)).map(seenImportable);
  const pools: FoundPool[] = [];
  for (const pool of [...imported, ...resting]) {
    const datasets = await datasetsOf(context, parsers, pool, places);
    pools.push(foundOf({ context, derive, places, datasets }, pool));
  }
  return pools;
}
