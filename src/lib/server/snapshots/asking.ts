/** What plugins say about the snapshots of a pool, within a time limit and held to the contract. Changes nothing. */
import { z } from 'zod';
import type { PoolSpec, SnapshotReading, StoragePlugin } from '$lib/plugin-api/storage';
import { AppError } from '../errors';
import { pluginError } from '../plugins/plugin-error';
import type { Plugins } from '../plugins/registry';
import { withTimeout } from '../plugins/time-limit';

const LIST_LIMIT_MS = 20_000;
const MEASURE_LIMIT_MS = 130_000;

const readings: z.ZodType<SnapshotReading[]> = z.array(
  z.object({
    name: z.string().min(1).max(1_000),
    createdAt: z.number().nullable(),
    readOnly: z.boolean(),
    exclusiveBytes: z.number().min(0).nullable(),
    path: z.string().startsWith('/').nullable(),
  }),
);
const obstacle = z.string().max(10_000).nullable();

type Capable = StoragePlugin & { snapshots: NonNullable<StoragePlugin['snapshots']> };
export const isCapable = (plugin: StoragePlugin | null): plugin is Capable => plugin?.snapshots !== undefined;

/** @throws AppError not_supported */
export function capable(plugin: StoragePlugin): Capable {
  if (isCapable(plugin)) return plugin;
  throw new AppError('not_supported', `${plugin.name} pools have no snapshots.`, {
    remedy: 'Pools of btrfs, ZFS and LVM (thin) have them.',
  });
}

async function ask<T>(
  plugins: Pick<Plugins, 'context'>,
  { id }: StoragePlugin,
  limit: { ms: number; what: string },
  question: (context: ReturnType<Plugins['context']>) => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(limit.ms, limit.what, (signal) => question(plugins.context(id, signal)));
  } catch (error) {
    throw pluginError(id, error);
  }
}

export const readSnapshots = (
  plugins: Pick<Plugins, 'context'>,
  plugin: Capable,
  spec: PoolSpec,
): Promise<SnapshotReading[]> =>
  ask(
    plugins,
    plugin,
    { ms: LIST_LIMIT_MS, what: `Reading the snapshots of ${spec.label}` },
    async (context) => readings.parse(await plugin.snapshots.list(context, spec)),
  );

/** null: nothing is in the way */
export const readObstacle = (
  plugins: Pick<Plugins, 'context'>,
  plugin: Capable,
  spec: PoolSpec,
  verb: 'create' | 'roll-back',
): Promise<string | null> =>
  ask(plugins, plugin, { ms: LIST_LIMIT_MS, what: `Looking at the pool ${spec.label}` }, async (context) =>
    obstacle.parse((await plugin.snapshots.obstacle?.(context, spec, verb)) ?? null),
  );

/** @throws AppError not_supported where the storage cannot tell */
export async function measureSnapshot(
  plugins: Pick<Plugins, 'context'>,
  plugin: Capable,
  spec: PoolSpec,
  name: string,
): Promise<number> {
  const { measure } = plugin.snapshots;
  if (!measure)
    throw new AppError('not_supported', `${plugin.name} cannot tell how much space one snapshot holds.`);
  return ask(
    plugins,
    plugin,
    { ms: MEASURE_LIMIT_MS, what: `Measuring the snapshot ${name}` },
    async (context) =>
      z
        .number()
        .min(0)
        .parse(await measure.call(plugin.snapshots, context, spec, { name })),
  );
}
