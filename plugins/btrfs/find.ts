/** btrfs filesystems that are on drives already, by what their superblocks say. Changes nothing, mounts nothing. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { FoundPool, PluginContext } from '../../src/lib/plugin-api/storage';
import { BTRFS } from './btrfs';
import { isLayout, usableBytes } from './capacity';
import { parseChunkTree, parseDataProfiles, parseSuper, type Superblock } from './parse-super';

interface Device extends Superblock {
  driveId: string;
  path: string;
}
interface Shape {
  /** null: could not be told; `why` says so. */
  dataProfiles: string[] | null;
  /** Empty when only the number of devices is known. */
  devices: { devid: number; sizeBytes: number }[];
  why: string | null;
}

const READ_LIMIT_MS = 30_000;
/** Of a filesystem with two copies of a member the tools could read either. */
const UNREAD: Shape = { dataProfiles: null, devices: [], why: 'Its layout was not read.' };

export function finderOf(sdk: PluginSdk) {
  const read = {
    super: sdk.defineParser('btrfs inspect-internal dump-super', parseSuper),
    chunks: sdk.defineParser('btrfs inspect-internal dump-tree', parseChunkTree),
    profiles: sdk.defineParser('btrfs filesystem df', parseDataProfiles),
  };

  async function deviceAt(context: PluginContext, driveId: string, path: string): Promise<Device> {
    const { stdout } = await context.read(BTRFS, ['inspect-internal', 'dump-super', '--', path], {
      timeoutMs: READ_LIMIT_MS,
    });
    return { ...read.super(stdout), driveId, path };
  }

  /** The layout is not in the superblock: it is what the chunks of data have. */
  async function shapeOf(
    context: PluginContext,
    devices: Device[],
    mountedAt: string | null,
  ): Promise<Shape> {
    if (mountedAt !== null) {
      const { stdout } = await context.read(BTRFS, ['filesystem', 'df', '--raw', mountedAt]);
      return { dataProfiles: read.profiles(stdout), devices: [], why: null };
    }
    // Only these devices: the tool would else open every drive of the machine to search for members.
    const argv = ['inspect-internal', 'dump-tree', '--noscan', '-t', 'chunk', '--'];
    const { stdout, exitCode } = await context.read(BTRFS, [...argv, ...devices.map(({ path }) => path)], {
      timeoutMs: READ_LIMIT_MS,
      okExitCodes: [0, 1],
    });
    if (exitCode === 0) {
      const { devices: listed, dataProfiles } = read.chunks(stdout);
      return { dataProfiles, devices: listed, why: null };
    }
    return {
      dataProfiles: null,
      devices: [],
      why: 'Its layout cannot be read from the drives that are there.',
    };
  }

  function obstacleOf(
    devices: Device[],
    shape: Shape,
    missing: number,
    layout: string | null,
  ): string | null {
    if (new Set(devices.map((device) => device.devid)).size < devices.length)
      return 'Two drives claim to be the same member of this filesystem: one is a copy of the other. Take the copy out, or erase it.';
    if (devices.some((device) => device.devid === 0))
      return 'A replacement of a drive has not ended. Mount it in a shell, which goes on with it, then look again.';
    if (missing > 0)
      return `${missing} of its ${devices.length + missing} drives ${missing === 1 ? 'is' : 'are'} not there. Plug in what is missing, then adopt it.`;
    if (shape.why) return shape.why;
    if ((shape.dataProfiles?.length ?? 0) > 1)
      return `Its data has several profiles (${shape.dataProfiles?.join(', ')}): a conversion has not ended. Finish it with btrfs balance, then look again.`;
    if (layout === null)
      return `Its data has the profile ${shape.dataProfiles?.[0] ?? '–'}, which is no layout of Cairn's btrfs pools.`;
    return null;
  }

  async function poolOf(context: PluginContext, devices: Device[]): Promise<FoundPool> {
    devices.sort((a, b) => a.devid - b.devid);
    const [first] = devices;
    if (!first) throw new TypeError('a filesystem without a device');
    const paths = new Set(devices.map((device) => device.path));
    const mountedAt = context.mounts().find((mount) => paths.has(mount.source))?.path ?? null;
    const isCopied = new Set(devices.map((device) => device.devid)).size < devices.length;
    const shape = isCopied ? UNREAD : await shapeOf(context, devices, mountedAt);
    const [profile = ''] = shape.dataProfiles?.length === 1 ? shape.dataProfiles : [];
    const layout = isLayout(profile) ? profile : null;
    const here = new Set(devices.map((device) => device.devid));
    const named = shape.devices.filter(({ devid }) => !here.has(devid));
    const missing = Math.max(0, first.deviceCount - here.size);
    const label = first.label ? `"${first.label}"` : 'without a label';
    const count = first.deviceCount === 1 ? 'one drive' : `${first.deviceCount} drives`;
    return {
      key: first.uuid,
      guid: first.uuid,
      label: first.label,
      layout,
      // How it is to be mounted is nowhere on the drives.
      options: {},
      facts: { label: first.label },
      // Numbers of devices begin at 1 and are never given again, as slots are not.
      members: devices.map(({ driveId, devid }) => ({
        driveId,
        slot: Math.max(0, devid - 1),
        role: 'data' as const,
        status: 'active' as const,
      })),
      missing: Array.from({ length: missing }, (_, index) => {
        const known = named[index];
        return known
          ? {
              slot: known.devid - 1,
              text: `device ${known.devid}, ${Math.round(known.sizeBytes / 1024 ** 2)} MiB`,
            }
          : { slot: first.deviceCount - missing + index, text: 'a device of which nothing more is known' };
      }),
      sizeBytes:
        layout === null || missing > 0
          ? null
          : usableBytes({ layout, driveSizesBytes: devices.map((device) => device.deviceBytes) }),
      description: `btrfs ${label} over ${count}${profile === '' ? '' : `, ${profile}`}`,
      byCairn: false,
      mountedAt,
      obstacle: obstacleOf(devices, shape, missing, layout),
    };
  }

  /** In a partition it can be seen and not adopted: pools of this plugin have whole drives. */
  async function inPartition(
    context: PluginContext,
    at: { driveId: string; path: string; sizeBytes: number },
  ): Promise<FoundPool | null> {
    const found = await context.probe(at.path);
    if (found?.type !== 'btrfs' || found.uuid === null) return null;
    return {
      key: `${found.uuid}@${at.driveId}`,
      guid: found.uuid,
      label: found.label ?? '',
      layout: null,
      options: {},
      facts: {},
      members: [{ driveId: at.driveId, slot: 0, role: 'data', status: 'active' }],
      missing: [],
      sizeBytes: at.sizeBytes,
      description: `btrfs ${found.label ? `"${found.label}"` : 'without a label'} in a partition`,
      byCairn: false,
      mountedAt: context.mounts().find((mount) => mount.source === at.path)?.path ?? null,
      obstacle: 'It lies in a partition; btrfs pools of Cairn have whole drives. It is left as it is.',
    };
  }

  return async (context: PluginContext): Promise<FoundPool[]> => {
    const groups = new Map<string, Device[]>();
    const pools: FoundPool[] = [];
    for (const drive of context.drives()) {
      for (const partition of drive.partitions) {
        const path = context.path({ drive: drive.id, partition });
        const place = path === null ? null : { driveId: drive.id, path, sizeBytes: drive.sizeBytes };
        const pool = place && (await inPartition(context, place));
        if (pool) pools.push(pool);
      }
      if (drive.partitions.length > 0 || (await context.probe(drive.path))?.type !== 'btrfs') continue;
      const device = await deviceAt(context, drive.id, drive.path);
      groups.set(device.uuid, [...(groups.get(device.uuid) ?? []), device]);
    }
    for (const devices of groups.values()) pools.push(await poolOf(context, devices));
    return pools;
  };
}
