/** Looks at datasets and snapshots of an imported pool. They change nothing. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { seen, textOf, type Imported, type PluginLook } from './look-words';
import { SNAPSHOT_COLUMNS } from './parse-list';
import { readDatasets, readSnapshots, type Parsers } from './reading';
import { READ, ZFS } from './zfs';

type Within = (
  context: PluginContext,
  args: JsonObject,
  judge: (pool: Imported) => LookResult | Promise<LookResult>,
) => Promise<LookResult>;

async function property(context: PluginContext, name: string, of: string): Promise<string> {
  const { stdout } = await context.read(ZFS, ['get', '-Hp', '-o', 'value', name, of], READ);
  return stdout.trim();
}

export function snapshotLooks(parsers: Parsers, within: Within): Record<string, PluginLook> {
  const namesOf = async (context: PluginContext, pool: string): Promise<Set<string>> => {
    const snapshots = await readSnapshots(context, parsers, SNAPSHOT_COLUMNS, pool);
    const datasets = await readDatasets(context, parsers, pool);
    return new Set([...datasets, ...snapshots.map((one) => `${one.dataset}@${one.name}`)]);
  };

  const there: (key: string) => PluginLook = (key) => (context, args) =>
    within(context, args, async (pool) => {
      const name = textOf(args[key]);
      return (await namesOf(context, pool.name)).has(name)
        ? seen('done', `${name} is there.`)
        : seen('absent', `There is no ${name}.`);
    });

  /** A snapshot that something else is built on cannot be removed. */
  const freeSnapshot: PluginLook = (context, args) =>
    within(context, args, async (pool) => {
      const name = textOf(args.snapshot);
      if (!(await namesOf(context, pool.name)).has(name)) return seen('absent', `There is no ${name}.`);
      const clones = await property(context, 'clones', name);
      return clones === '' || clones === '-'
        ? seen('done', `${name} is there.`)
        : seen(
            'foreign',
            `What was kept as ${clones.split('/kept-').slice(1).join(', ')} begins at it; remove that first.`,
          );
    });

  /** A dataset without snapshots. */
  const bareDataset: PluginLook = (context, args) =>
    within(context, args, async (pool) => {
      const name = textOf(args.dataset);
      const names = await namesOf(context, pool.name);
      if (!names.has(name)) return seen('absent', `There is no ${name}.`);
      return [...names].some((other) => other.startsWith(`${name}@`))
        ? seen('absent', `${name} has snapshots and stays.`)
        : seen('done', `${name} is there, without snapshots.`);
    });

  /** A snapshot that is not there needs no clone: the state may be at another place. */
  const cloned: PluginLook = (context, args) =>
    within(context, args, async (pool) => {
      const names = await namesOf(context, pool.name);
      const [snapshot, dataset] = [textOf(args.snapshot), textOf(args.dataset)];
      if (names.has(dataset)) return seen('done', `${dataset} is there.`);
      return names.has(snapshot)
        ? seen('absent', `There is no ${dataset}.`)
        : seen('done', `There is no ${snapshot}.`);
    });

  const independent: PluginLook = (context, args) =>
    within(context, args, async () => {
      const name = textOf(args.dataset);
      const origin = await property(context, 'origin', name);
      return origin === '-' || origin === ''
        ? seen('done', `${name} depends on nothing.`)
        : seen('absent', `${name} begins at ${origin}.`);
    });

  return {
    dataset: there('dataset'),
    snapshot: there('snapshot'),
    'free-snapshot': freeSnapshot,
    'bare-dataset': bareDataset,
    cloned,
    independent,
  };
}
