/**
 * Subvolumes of a pool. On disk:
 *
 *     top level                      never seen by users
 *     └── data                       the default subvolume: what is mounted
 *         └── .snapshots             a subvolume, so that no snapshot holds the others
 *             ├── <name>             read-only
 *             └── ...
 *
 * A pool of an earlier Cairn, or one that was adopted, has its files in the top level itself: snapshots are made and
 * removed in the same way there; only what is in a subvolume can be exchanged for a snapshot.
 */
import type { ExecAction, JsonObject, Look, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PluginContext, PoolSpec } from '../../src/lib/plugin-api/storage';
import { BTRFS } from './btrfs';
import {
  parseDefault,
  parseExclusive,
  parseReadOnly,
  parseRootId,
  parseSubvolumes,
  parseTimes,
  type Subvolume,
} from './parse-subvolumes';

export const DATA = 'data';
export const SNAPSHOTS = '.snapshots';
export const TOP_LEVEL_ID = 5;

const run = (...argv: string[]): ExecAction => ({ do: 'exec', program: BTRFS, argv });

export const makeSubvolume = (path: string): ExecAction => run('subvolume', 'create', '--', path);
export const takeSnapshot = (of: string, at: string): ExecAction =>
  run('subvolume', 'snapshot', '-r', '--', of, at);
export const copySnapshot = (of: string, at: string): ExecAction =>
  run('subvolume', 'snapshot', '--', of, at);
/** On disk when it ends: the space follows in the background. It refuses what holds other subvolumes, and the default. */
export const deleteSubvolume = (path: string): ExecAction =>
  run('subvolume', 'delete', '--commit-after', '--', path);
export const chooseDefault = (path: string): ExecAction => run('subvolume', 'set-default', path);
export const setReadOnly = (path: string, value: boolean): ExecAction =>
  run('property', 'set', '-t', 'subvol', path, 'ro', String(value));

export function subvolumeReader(sdk: PluginSdk) {
  const parse = {
    list: sdk.defineParser('btrfs subvolume list', parseSubvolumes),
    times: sdk.defineParser('btrfs subvolume list -s', parseTimes),
    readOnly: sdk.defineParser('btrfs subvolume list -r', parseReadOnly),
    chosen: sdk.defineParser('btrfs subvolume get-default', parseDefault),
    rootId: sdk.defineParser('btrfs inspect-internal rootid', parseRootId),
    exclusive: sdk.defineParser('btrfs filesystem du', parseExclusive),
  };
  const said = async (context: PluginContext, ...argv: string[]): Promise<string> =>
    (await context.read(BTRFS, argv)).stdout;

  return {
    list: async (context: PluginContext, at: string): Promise<Subvolume[]> =>
      parse.list(await said(context, 'subvolume', 'list', '-p', '-u', '-q', at)),
    times: async (context: PluginContext, at: string): Promise<Map<number, number>> =>
      parse.times(await said(context, 'subvolume', 'list', '-s', at)),
    readOnly: async (context: PluginContext, at: string): Promise<Set<number>> =>
      parse.readOnly(await said(context, 'subvolume', 'list', '-r', at)),
    chosen: async (context: PluginContext, at: string): Promise<number> =>
      parse.chosen(await said(context, 'subvolume', 'get-default', at)),
    /** Id of the subvolume in which a path lies; null: there is no such path. */
    async rootId(context: PluginContext, path: string): Promise<number | null> {
      const { stdout, exitCode } = await context.read(BTRFS, ['inspect-internal', 'rootid', path], {
        okExitCodes: [0, 1],
      });
      return exitCode === 0 ? parse.rootId(stdout) : null;
    },
    /** Reads the extents of every file in it: minutes for millions of files. */
    async exclusive(context: PluginContext, path: string): Promise<number> {
      const argv = ['filesystem', 'du', '-s', '--raw', path];
      return parse.exclusive((await context.read(BTRFS, argv, { timeoutMs: 120_000 })).stdout);
    },
  };
}
export type SubvolumeReader = ReturnType<typeof subvolumeReader>;

/** Those that lie directly in `parentId`, by name; `at` is the parent's path as the list tells it. */
export function childrenOf(all: Subvolume[], parentId: number, at: string): Map<string, Subvolume> {
  const begin = at === '' ? '' : `${at}/`;
  return new Map(
    all.flatMap((one) => {
      const name = one.path.startsWith(begin) ? one.path.slice(begin.length) : '';
      return one.parentId === parentId && name !== '' && !name.includes('/') ? [[name, one] as const] : [];
    }),
  );
}

/**
 * The subvolume at a path of subvolumes below `rootId`, what is mounted. The list tells those outside of it by paths that look
 * the same, so it is the parents that count.
 */
export function subvolumeAt(all: Subvolume[], rootId: number, path: string): Subvolume | undefined {
  let found: Subvolume | undefined;
  for (const name of path.split('/'))
    if (!(found = childrenOf(all, found?.id ?? rootId, found?.path ?? '').get(name))) return undefined;
  return found;
}

type SubvolumeLook = (context: PluginContext, args: JsonObject) => Promise<LookResult>;
const seen = (status: LookResult['status'], evidence: string): LookResult => ({ status, evidence });

export const lookAt = (spec: PoolSpec, name: string, args: JsonObject = {}): Look => ({
  look: `btrfs/${name}`,
  args: {
    mountPath: spec.mountPath,
    uuid: spec.guid,
    drives: spec.drives.map((drive) => drive.id),
    ...args,
  },
});

/** What is mounted at the pool's path. */
async function mountedAt(context: PluginContext, args: JsonObject): Promise<'ours' | 'nothing' | LookResult> {
  const path = String(args.mountPath);
  const entry = context.mounts().findLast((mount) => mount.path === path);
  if (!entry) return 'nothing';
  const driveId = context.driveIdOf(entry.source);
  const drives = Array.isArray(args.drives) ? args.drives : [];
  return entry.filesystem === 'btrfs' && driveId !== null && drives.includes(driveId)
    ? 'ours'
    : seen('foreign', `${entry.source} (${entry.filesystem}) is mounted at ${path}.`);
}

interface Inside {
  context: PluginContext;
  args: JsonObject;
  at: string;
  all: Subvolume[];
  rootId: number;
}

/** Judges what is inside of the mounted pool; `topLevel: true` in the arguments: only while its top level is mounted. */
const within =
  (reader: SubvolumeReader, judge: (inside: Inside) => Promise<LookResult>): SubvolumeLook =>
  async (context, args) => {
    const at = String(args.mountPath);
    const mounted = await mountedAt(context, args);
    if (mounted === 'nothing') return seen('foreign', `The pool is not mounted at ${at}.`);
    if (mounted !== 'ours') return mounted;
    const [all, rootId] = await Promise.all([reader.list(context, at), reader.rootId(context, at)]);
    if (rootId === null) return seen('foreign', `Nothing can be read at ${at}.`);
    return args.topLevel === true && rootId !== TOP_LEVEL_ID
      ? seen('foreign', `The subvolume ${rootId} is mounted, not the top level.`)
      : judge({ context, args, at, all, rootId });
  };

export function subvolumeLooks(reader: SubvolumeReader) {
  /** Is the top level mounted at the pool's path, not its data? */
  const topLevel: SubvolumeLook = async (context, args) => {
    const mounted = await mountedAt(context, args);
    if (mounted === 'nothing') return seen('absent', `Nothing is mounted at ${String(args.mountPath)}.`);
    if (mounted !== 'ours') return mounted;
    const id = await reader.rootId(context, String(args.mountPath));
    return id === TOP_LEVEL_ID
      ? seen('done', 'The top level is mounted.')
      : seen('foreign', `The subvolume ${id} is mounted, not the top level.`);
  };

  /**
   * Is there a subvolume at the path? `readOnly: true`: one that nobody can write to. `copyOf`: a snapshot of the one at that
   * path; another is foreign.
   */
  const subvolume = within(reader, async ({ context, args, at, all, rootId }) => {
    const path = String(args.path);
    const found = subvolumeAt(all, rootId, path);
    if (!found) {
      const other = await reader.rootId(context, `${at}/${path}`);
      // The empty folder that a snapshot holds in the place of a subvolume has an id of its own: it is nothing.
      return other === null || args.overStub === true
        ? seen('absent', `There is no subvolume ${path}.`)
        : seen('foreign', `There is a folder ${path} that is no subvolume.`);
    }
    if (typeof args.copyOf === 'string') {
      const source = subvolumeAt(all, rootId, args.copyOf);
      if (!source?.uuid || found.originUuid !== source.uuid)
        return seen('foreign', `There is a subvolume ${path} that is no copy of ${args.copyOf}.`);
    }
    if (args.readOnly === true && !(await reader.readOnly(context, at)).has(found.id))
      return seen('absent', `The subvolume ${path} can be written to.`);
    return seen('done', `There is a subvolume ${path}.`);
  });

  /** Is it what is mounted when nobody says more? */
  const chosen = within(reader, async ({ context, args, at, all, rootId }) => {
    const path = String(args.path);
    const id = await reader.chosen(context, at);
    return subvolumeAt(all, rootId, path)?.id === id
      ? seen('done', `${path} is what is mounted.`)
      : seen('absent', `The subvolume ${id} is what is mounted, not ${path}.`);
  });

  return { 'top-level': topLevel, subvolume, chosen };
}
