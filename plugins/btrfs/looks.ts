/** The plugin's own looks. They write nothing to any drive. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';

const idsOf = (args: JsonObject): string[] => (Array.isArray(args.drives) ? args.drives.map(String) : []);

/** Is the pool's filesystem on each of the drives? On some of them only: mkfs was ended in the middle. */
export async function members(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const ids = idsOf(args);
  // Looked at together: each answer takes a program, and a pool may have many drives.
  const places = await Promise.all(
    ids.map(async (id) => {
      const path = context.path({ drive: id });
      return { path, found: path === null ? null : await context.probe(path) };
    }),
  );
  const isOurs = (found: (typeof places)[number]['found']): boolean =>
    found?.type === 'btrfs' && found.uuid === args.uuid;
  const other = places.find(({ found }) => found && !isOurs(found));
  if (other)
    return {
      status: 'foreign',
      evidence: `${other.path} holds ${other.found?.type} that is not this pool's.`,
    };
  const ours = places.filter(({ found }) => isOurs(found)).length;
  const gone = places.filter(({ path }) => path === null).length;
  const evidence = `The pool's btrfs is on ${ours} of ${ids.length} drives${gone > 0 ? `; ${gone} are not there` : ''}.`;
  if (ours === 0) return { status: 'absent', evidence };
  return { status: ours === ids.length ? 'done' : 'partial', evidence };
}

/** Has the mounted filesystem this label? Not mounted is foreign: the label would be set on whatever lies below. */
export async function label(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const ids = idsOf(args);
  const entry = context.mounts().findLast((mount) => mount.path === args.mountPath);
  const driveId = entry ? context.driveIdOf(entry.source) : null;
  if (!entry || driveId === null || !ids.includes(driveId))
    return { status: 'foreign', evidence: `The pool is not mounted at ${String(args.mountPath)}.` };
  const found = await context.probe(entry.source);
  if (found?.uuid !== args.uuid)
    return { status: 'foreign', evidence: 'Another filesystem is on the drive of the pool.' };
  return {
    status: found?.label === args.label ? 'done' : 'absent',
    evidence: `The filesystem's label is ${found?.label ?? 'empty'}.`,
  };
}
