/** Volume groups on the drives of this machine, ours or not. Reads; activates nothing. */
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { FoundPool, PluginContext } from '../../src/lib/plugin-api/storage';
import { EXTENT_BYTES } from './capacity';
import {
  FILESYSTEM_TAG,
  GUID_TAG,
  LAYOUT_TAG,
  isLayout,
  mappedName,
  snapshotName,
  type LayoutId,
} from './names';
import type { Group, Volume } from './parse-report';
import { readReport, type Parsers } from './reading';

/** Namespace for the GUID of a group that has no UUID of the usual kind. */
const NAMESPACE = '6c8a6d1e-6f0b-4c4e-9a53-0d0f3a1c7b52';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const tagOf = (group: Group, name: string): string | null =>
  group.tags.find((tag) => tag.startsWith(name))?.slice(name.length) ?? null;

const LAYOUT_OF: Record<string, LayoutId> = {
  linear: 'linear',
  raid1: 'mirror',
  raid5: 'raid5',
  raid5_ls: 'raid5',
  thin: 'thin',
};
const layoutOf = (volume: Volume): LayoutId | null => LAYOUT_OF[volume.segments[0]?.type ?? ''] ?? null;
const isThinPool = (volume: Volume): boolean => volume.segments[0]?.type === 'thin-pool';

interface Content {
  running: boolean;
  type: string | null;
  uuid: string | null;
  label: string | null;
  mountedAt: string | null;
}
/** A volume that does not run cannot be looked into. */
async function contentOf(context: PluginContext, group: Group, volume: Volume): Promise<Content> {
  const mapped = mappedName(group.name, volume.name);
  const path = context.path({ mapped });
  const found = path === null ? null : await context.probe(path);
  const mount = context
    .mounts()
    .find((entry) => path !== null && (entry.source === path || entry.source === `/dev/mapper/${mapped}`));
  return {
    running: path !== null,
    type: found?.type ?? tagOf(group, FILESYSTEM_TAG),
    uuid: found?.uuid?.toLowerCase() ?? null,
    label: found?.label ?? null,
    mountedAt: mount?.path ?? null,
  };
}

/** Why its files cannot be read now: starting copies, or a thin pool, writes to the drives, and what is on others is not known. */
function closedBecause(group: Group, volume: Volume | null, content: Content | null): string | null {
  const kind = volume && layoutOf(volume);
  if (!kind || content?.running) return null;
  const start = `Start it, then look again: vgchange --activate y --activationmode degraded ${group.name}`;
  if (kind !== 'linear')
    return `Its volume does not run, and starting a ${volume.segments[0]?.type ?? ''} volume writes to its drives. ${start}`;
  return content?.type ? null : `What is on its volume cannot be seen while it does not run. ${start}`;
}

interface Where {
  driveId: string;
  whole: boolean;
}
function whereOf(context: PluginContext): (path: string) => Where | null {
  const whole = new Map(context.drives().map((drive) => [drive.path, drive.id]));
  return (path) => {
    const driveId = whole.get(path) ?? context.driveIdOf(path);
    return driveId === null ? null : { driveId, whole: whole.has(path) };
  };
}

function obstacleOf(
  group: Group,
  volumes: Volume[],
  content: Content | null,
  places: (Where | null)[],
): string | null {
  if (group.exported) return `The group is exported. Take it in first: vgimport ${group.name}`;
  if (volumes.length !== 1) return `It has ${volumes.length} volumes; Cairn can take over a group with one.`;
  if (places.some((place) => place && !place.whole))
    return 'It lies on partitions; Cairn can take over groups on whole drives.';
  const [volume] = volumes;
  if (!volume || layoutOf(volume) === null)
    return `Its volume is of the kind ${volume?.segments[0]?.type ?? 'unknown'}, which Cairn does not make.`;
  if (group.extentBytes !== EXTENT_BYTES) return 'Its extents are not 4 MiB large.';
  return content?.type === 'ext4' || content?.type === 'xfs'
    ? null
    : `Its volume holds ${content?.type ?? 'nothing'}; Cairn can take over ext4 and XFS.`;
}

async function foundOf(sdk: PluginSdk, context: PluginContext, group: Group): Promise<FoundPool> {
  const where = whereOf(context);
  const volumes = group.volumes.filter(
    (volume) => !volume.hidden && !isThinPool(volume) && snapshotName(volume.name) === null,
  );
  const volume = volumes[0] ?? null;
  const content = volume ? await contentOf(context, group, volume) : null;
  const places = group.physical.map((physical) => (physical.path === null ? null : where(physical.path)));
  const ownGuid = tagOf(group, GUID_TAG);
  const own = ownGuid !== null && UUID.test(ownGuid) ? ownGuid : null;
  const ownLayout = tagOf(group, LAYOUT_TAG);
  const kind = volume && volumes.length === 1 ? layoutOf(volume) : null;
  const layout = own !== null && isLayout(ownLayout) ? ownLayout : kind;
  const closed = closedBecause(group, volume, content);
  const usable = content?.uuid && UUID.test(content.uuid) ? content.uuid : null;
  const physical = Object.fromEntries(
    group.physical.flatMap(({ uuid }, slot) => {
      const place = places[slot];
      return place ? [[place.driveId, uuid]] : [];
    }),
  );
  return {
    key: group.uuid,
    guid: own ?? usable ?? sdk.derivedUuid(NAMESPACE, group.uuid),
    label: content?.label ?? group.name,
    layout: closed === null ? layout : null,
    options: content?.type === 'ext4' || content?.type === 'xfs' ? { filesystem: content.type } : {},
    facts: {
      group: group.name,
      groupUuid: group.uuid,
      physical,
      ...(volume ? { volume: volume.name } : {}),
      ...(volume?.thinPool ? { thinPool: volume.thinPool } : {}),
      running: content?.running ?? false,
    },
    members: group.physical.flatMap((one, slot) => {
      const place = places[slot];
      if (!place) return [];
      return {
        driveId: place.driveId,
        slot,
        role: 'data' as const,
        status: one.markedMissing ? ('faulty' as const) : ('active' as const),
      };
    }),
    missing: group.physical.flatMap(({ uuid }, slot) =>
      places[slot] ? [] : [{ slot, text: `the physical volume ${uuid}` }],
    ),
    sizeBytes: volume?.sizeBytes ?? null,
    description: `LVM volume group "${group.name}" with ${volumes.length === 1 ? `a ${volume?.segments[0]?.type ?? ''} volume` : `${volumes.length} volumes`}${content?.type ? ` and ${content.type}` : ''}`,
    byCairn: own !== null,
    mountedAt: content?.mountedAt ?? null,
    obstacle: closed ?? obstacleOf(group, volumes, content, places),
  };
}

export async function find(sdk: PluginSdk, parsers: Parsers, context: PluginContext): Promise<FoundPool[]> {
  const paths = context
    .drives()
    .flatMap(({ id, path, partitions }) => [
      path,
      ...partitions.flatMap((partition) => context.path({ drive: id, partition }) ?? []),
    ]);
  const { groups } = await readReport(context, parsers, paths);
  return Promise.all(groups.map((group) => foundOf(sdk, context, group)));
}
