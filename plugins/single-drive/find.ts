/** Filesystems that this plugin could tend and that are on drives already. Changes nothing, mounts nothing. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { FoundPool, PluginContext } from '../../src/lib/plugin-api/storage';
import { FILESYSTEMS, type FilesystemType } from './filesystems';

type Found = Awaited<ReturnType<PluginContext['probe']>>;
type FoundDrive = ReturnType<PluginContext['drives']>[number];
const isOurs = (type: string): type is FilesystemType => Object.hasOwn(FILESYSTEMS, type);

interface Place {
  path: string;
  /** 0: the whole drive. */
  partition: number;
  /** Type and id of the partition table around it; null: none. */
  table: { type: string; id: string | null } | null;
  found: NonNullable<Found>;
}

/** The one place of a drive that could be a pool: all of it, or its only partition. A drive with more is somebody's. */
async function placeOf(context: PluginContext, drive: FoundDrive): Promise<Place | null> {
  const whole = await context.probe(drive.path);
  if (!whole) return null;
  const [number, ...others] = drive.partitions;
  if (number === undefined)
    return isOurs(whole.type) ? { path: drive.path, partition: 0, table: null, found: whole } : null;
  if (others.length > 0 || (whole.type !== 'gpt' && whole.type !== 'dos')) return null;
  const path = context.path({ drive: drive.id, partition: number });
  const found = path === null ? null : await context.probe(path);
  if (path === null || !found || !isOurs(found.type)) return null;
  return { path, partition: number, table: { type: whole.type, id: whole.uuid }, found };
}

export function finderOf(sdk: PluginSdk) {
  function poolAt(context: PluginContext, drive: FoundDrive, place: Place): FoundPool | null {
    const { found, partition, table, path } = place;
    if (found.uuid === null || !isOurs(found.type)) return null;
    const byCairn = partition === 1 && table?.id === sdk.derivedUuid(found.uuid, 'disk');
    const where = partition === 0 ? '' : ', in the only partition of the drive';
    return {
      key: found.uuid,
      guid: found.uuid.toLowerCase(),
      label: found.label ?? '',
      layout: 'single',
      options: { filesystem: found.type, partition: partition > 0 },
      facts: {
        label: found.label,
        ...(table && !byCairn ? { partition, tableType: table.type, tableId: table.id } : {}),
      },
      members: [{ driveId: drive.id, slot: 0, role: 'data', status: 'active' }],
      missing: [],
      sizeBytes: drive.sizeBytes,
      description: `${FILESYSTEMS[found.type].title} filesystem${found.label ? ` "${found.label}"` : ' without a label'}${where}`,
      byCairn,
      mountedAt: context.mounts().find((mount) => mount.source === path)?.path ?? null,
      obstacle: null,
    };
  }

  return async (context: PluginContext): Promise<FoundPool[]> => {
    const pools: FoundPool[] = [];
    for (const drive of context.drives()) {
      const place = await placeOf(context, drive);
      const pool = place && poolAt(context, drive, place);
      if (pool) pools.push(pool);
    }
    return pools;
  };
}

/** Is this partition table, of any type, on the drive? For drives that were partitioned by somebody else. */
export async function lookAtTable(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const path = context.path({ drive: String(args.drive) });
  const found = path === null ? null : await context.probe(path);
  if (path === null) return { status: 'foreign', evidence: 'The drive is not there.' };
  if (!found) return { status: 'absent', evidence: 'No partition table is on the drive.' };
  return found.type === args.type && found.uuid === args.id
    ? { status: 'done', evidence: `The partition table (${found.type}) is on the drive.` }
    : { status: 'foreign', evidence: 'Something else is on the drive.' };
}
