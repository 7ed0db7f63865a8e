/** What a plugin sees while it looks for pools: some drives only, and what is on them as the inventory has read it. */
import type { PluginContext } from '$lib/plugin-api/storage';
import type { Signature } from '$lib/shared/wire/drives';
import type { BlockDrive } from '../host/types';

/** Several things at one place are none that a plugin could take for its own. */
function contentOf(signatures: Signature[]): Awaited<ReturnType<PluginContext['probe']>> {
  const [first, ...others] = signatures;
  if (!first) return null;
  if (others.length > 0)
    return { type: signatures.map(({ type }) => type).join('+'), uuid: null, label: null };
  return { type: first.type, uuid: first.uuid, label: first.label };
}

/** Drives that are not given are not there for the plugin; those that are given are not probed again, so none wakes for it. */
export function findContext(context: PluginContext, drives: BlockDrive[]): PluginContext {
  const known = new Map(
    drives.flatMap((drive) => [
      [drive.path, drive.signatures] as const,
      ...drive.partitions.map((partition) => [partition.path, partition.signatures] as const),
    ]),
  );
  return {
    ...context,
    drives: () =>
      drives.map(({ id, path, serial, sizeBytes, partitions }) => ({
        ...{ id, path, serial, sizeBytes },
        partitions: partitions.map((partition) => partition.number),
      })),
    async probe(path) {
      const signatures = known.get(path);
      return signatures ? contentOf(signatures) : context.probe(path);
    },
  };
}
