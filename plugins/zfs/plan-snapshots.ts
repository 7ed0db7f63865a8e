/**
 * Snapshots of the pool's dataset. Pure but for the list.
 *
 * `zfs rollback` destroys what is newer, so a roll-back here makes a clone of the snapshot, puts it in the place of the
 * dataset, and promotes it, so that it depends on nothing. What was there stays as the dataset `kept-<name>`, with the
 * snapshots that were newer. Those are listed as `<name>/<snapshot>`, and the state itself as `<name>`.
 */
import type { Step } from '../../src/lib/plugin-api/plan';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import type { PluginContext, PoolSpec, SnapshotReading } from '../../src/lib/plugin-api/storage';
import { SNAPSHOT_COLUMNS } from './parse-list';
import { ID, importStep, lookOf } from './plan';
import { datasetOf, poolOf } from './pool-names';
import { readPool, readSnapshots, type Parsers } from './reading';
import * as call from './zfs';

const DATASET = { mountpoint: 'legacy', canmount: 'noauto' };
const KEPT = 'kept-';

/** Letters, digits and `-_.: ` are what ZFS takes (zfs(8)); the slash is ours. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.:-]*)?$/;
function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new TypeError(`ZFS cannot call a snapshot ${JSON.stringify(name)}.`);
}

const keptOf = (pool: string, name: string): string => `${pool}/${KEPT}${name}`;

/** Where a snapshot of this name may be: of the dataset itself, or of a state that was kept. */
export function placesOf(pool: string, name: string): { dataset: string; snapshot: string }[] {
  const [state = '', own] = checked(name).split('/');
  const at = (dataset: string, snapshot: string) => ({ dataset, snapshot: `${dataset}@${snapshot}` });
  if (own !== undefined) return [at(keptOf(pool, state), own)];
  return [at(datasetOf(pool), state), at(keptOf(pool, state), state)];
}

/** As it is listed; null: none of ours. */
export function listedName(pool: string, dataset: string, name: string): string | null {
  if (dataset === datasetOf(pool)) return name;
  const state = dataset.startsWith(keptOf(pool, '')) ? dataset.slice(keptOf(pool, '').length) : null;
  if (state === null) return null;
  return state === name ? name : `${state}/${name}`;
}

export function snapshotsOf(sdk: PluginSdk, parsers: Parsers) {
  async function list(context: PluginContext, spec: PoolSpec): Promise<SnapshotReading[]> {
    const pool = poolOf(spec);
    const shown = await readPool(context, parsers, pool);
    if (!shown || shown.suspended) return [];
    const mounted = context
      .mounts()
      .some((mount) => mount.path === spec.mountPath && mount.source === datasetOf(pool));
    const found = await readSnapshots(context, parsers, SNAPSHOT_COLUMNS, pool);
    return found.flatMap(({ dataset, name, createdAt, usedBytes }): SnapshotReading[] => {
      const listed = listedName(pool, dataset, name);
      if (listed === null) return [];
      const path = mounted && dataset === datasetOf(pool) ? `${spec.mountPath}/.zfs/snapshot/${name}` : null;
      return [{ name: listed, createdAt, readOnly: true, exclusiveBytes: usedBytes, path }];
    });
  }

  function create(spec: PoolSpec, { name }: { name: string }): Step[] {
    const pool = poolOf(spec);
    const snapshot = `${datasetOf(pool)}@${checked(name)}`;
    return [
      {
        name: 'take-snapshot',
        title: `Take the snapshot ${name}`,
        run: call.takeSnapshot(snapshot),
        undo: [call.destroyDataset(snapshot)],
        look: lookOf('snapshot', { pool, snapshot }),
      },
    ];
  }

  /** The dataset of a kept state goes with its last snapshot. */
  function destroy(spec: PoolSpec, { name }: { name: string }): Step[] {
    const pool = poolOf(spec);
    const places = placesOf(pool, name).toReversed();
    return places.flatMap(({ dataset, snapshot }, index): Step[] => [
      {
        name: `remove-snapshot-${index + 1}`,
        title: `Remove the snapshot ${snapshot.slice(pool.length + 1)}`,
        run: call.destroyDataset(snapshot),
        undo: 'impossible',
        look: sdk.not(lookOf('free-snapshot', { pool, snapshot })),
      },
      ...(dataset === datasetOf(pool)
        ? []
        : [
            {
              name: `remove-kept-state-${index + 1}`,
              title: 'Remove what was kept, when its last snapshot is gone',
              run: call.destroyDataset(dataset),
              undo: 'impossible' as const,
              look: sdk.not(lookOf('bare-dataset', { pool, dataset })),
            },
          ]),
    ]);
  }

  const move = (pool: string, name: string, title: string, from: string, to: string): Step => ({
    name,
    title,
    run: call.renameDataset(from, to),
    undo: [call.renameDataset(to, from)],
    look: lookOf('dataset', { pool, dataset: to }),
  });

  function rollBack(spec: PoolSpec, { name, keepAs }: { name: string; keepAs: string }): Step[] {
    const pool = poolOf(spec);
    const data = datasetOf(pool);
    const kept = keptOf(pool, checked(keepAs));
    const fresh = `${pool}/new-${keepAs}`;
    const filesystem = { source: { source: data }, filesystem: 'zfs' };
    const clones = placesOf(pool, name).map(({ snapshot }, index): Step => ({
      name: `clone-snapshot-${index + 1}`,
      title: `Make a dataset of ${snapshot.slice(pool.length + 1)}`,
      run: call.cloneSnapshot(snapshot, fresh, DATASET),
      undo: [call.destroyDataset(fresh)],
      look: lookOf('cloned', { pool, snapshot, dataset: fresh }),
    }));
    return [
      // Nothing imports it by itself after a power cut in between.
      { ...importStep(spec), undo: 'nothing' },
      sdk.unmountFilesystem(spec, filesystem),
      {
        name: 'keep-state',
        title: `Keep what is there now as ${keepAs}`,
        run: call.takeSnapshot(`${data}@${keepAs}`),
        undo: [call.destroyDataset(`${data}@${keepAs}`)],
        look: lookOf('snapshot', { pool, snapshot: `${data}@${keepAs}` }),
      },
      ...clones,
      move(pool, 'put-aside', 'Put what is there now aside', data, kept),
      move(pool, 'put-in-place', 'Put the snapshot in its place', fresh, data),
      {
        name: 'make-independent',
        title: 'Make it independent of what was put aside',
        run: call.promoteFully(pool, data),
        undo: [call.promoteFully(pool, kept)],
        look: lookOf('independent', { pool, dataset: data }),
      },
      sdk.mountFilesystem(spec, filesystem),
      ...sdk.refreshIdentity(ID, spec),
    ];
  }

  const obstacle = (
    _context: PluginContext,
    spec: PoolSpec,
    verb: 'create' | 'roll-back',
  ): Promise<string | null> => {
    const pool = poolOf(spec);
    return Promise.resolve(
      verb === 'roll-back' && datasetOf(pool) === pool
        ? 'Its files lie in the first dataset of the pool, as other systems make it, and that one cannot be exchanged. Copy what you need out of the snapshot.'
        : null,
    );
  };

  return { list, create, destroy, rollBack, obstacle };
}
