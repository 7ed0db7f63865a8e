/** The snapshots of a btrfs pool as its tools tell them. Changes nothing. */
import type { PluginContext, PoolSpec, SnapshotReading } from '../../src/lib/plugin-api/storage';
import { childrenOf, DATA, SNAPSHOTS, TOP_LEVEL_ID, type SubvolumeReader } from './subvolumes';

const isMounted = (context: PluginContext, spec: PoolSpec): boolean =>
  context.mounts().findLast((mount) => mount.path === spec.mountPath)?.filesystem === 'btrfs';

export function snapshotReadings(reader: SubvolumeReader) {
  async function list(context: PluginContext, spec: PoolSpec): Promise<SnapshotReading[]> {
    const at = spec.mountPath;
    if (!isMounted(context, spec)) return [];
    const [all, here] = await Promise.all([reader.list(context, at), reader.rootId(context, at)]);
    const folder = here === null ? undefined : childrenOf(all, here, '').get(SNAPSHOTS);
    if (!folder) return [];
    const [times, readOnly] = await Promise.all([reader.times(context, at), reader.readOnly(context, at)]);
    return [...childrenOf(all, folder.id, SNAPSHOTS)].map(([name, { id }]) => ({
      name,
      createdAt: times.get(id) ?? null,
      readOnly: readOnly.has(id),
      exclusiveBytes: null,
      path: `${at}/${SNAPSHOTS}/${name}`,
    }));
  }

  async function obstacle(
    context: PluginContext,
    spec: PoolSpec,
    verb: 'create' | 'roll-back',
  ): Promise<string | null> {
    const at = spec.mountPath;
    if (!isMounted(context, spec)) return 'Mount the pool first: its snapshots are made while it is mounted.';
    const [all, here, chosen] = await Promise.all([
      reader.list(context, at),
      reader.rootId(context, at),
      reader.chosen(context, at),
    ]);
    if (here === null) return `Nothing can be read at ${at}.`;
    const own = childrenOf(all, here, '');
    if (verb === 'create')
      return own.has(SNAPSHOTS) || (await reader.rootId(context, `${at}/${SNAPSHOTS}`)) === null
        ? null
        : `There is a folder ${at}/${SNAPSHOTS} that is none of Cairn's. Move or rename it; the snapshots go there.`;
    if (here === TOP_LEVEL_ID)
      return `Its files lie in the top level of the btrfs, as in pools that were adopted or made by an earlier Cairn, and the top level cannot be exchanged. Copy what you need out of the snapshot (${at}/${SNAPSHOTS}), or move the files into a new pool.`;
    const data = all.find((one) => one.id === here);
    if (here !== chosen || data?.path !== DATA || data.parentId !== TOP_LEVEL_ID)
      return `What is mounted is not the subvolume "${DATA}" that Cairn makes and exchanges. Copy what you need out of the snapshot (${at}/${SNAPSHOTS}).`;
    const nested = all.filter(
      (one) => one.parentId === here && one.path !== SNAPSHOTS && !one.path.startsWith(`${SNAPSHOTS}/`),
    );
    return nested.length === 0
      ? null
      : `There are subvolumes in it that no snapshot holds (${nested
          .slice(0, 3)
          .map((one) => one.path)
          .join(', ')}): they would stay behind. Move what is in them into folders first.`;
  }

  const measure = (context: PluginContext, spec: PoolSpec, { name }: { name: string }): Promise<number> =>
    reader.exclusive(context, `${spec.mountPath}/${SNAPSHOTS}/${name}`);

  return { list, obstacle, measure };
}
