/** The plans of a machine that was removed: it comes back, or goes for good. */
import { existsSync } from 'node:fs';
import type { Issue } from '$lib/shared/error-codes';
import type { JsonObject } from '$lib/shared/json';
import type { VmPlugin } from '$lib/plugin-api/vm';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { Pool } from '$lib/shared/wire/pools';
import { vmRequest } from '$lib/shared/wire/vms';
import type { Db, Transaction } from '../db/client';
import { AppError, issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import { promisedDiskBytes } from './accounts';
import type { VmDeps } from './deps';
import { tpmLosses } from './firmware';
import { namesIn, roomOn } from './place';
import { nameTaken } from './prepare-create';
import { findRemoved, type RemovedRecord } from './removed-store';
import { filesOf, lossesOf, movedTo, notePath, strangersIn, unshelveSteps } from './shelf';
import { parse, prepared, wrongState } from './verb';

export function removedOf(db: Db | Transaction, id: string): RemovedRecord {
  const removed = findRemoved(db, id);
  if (!removed) throw new AppError('removed_vm_not_found', `No machine ${id} was removed.`);
  return removed;
}

/** Why its files cannot be reached now; null: they can. */
export function awayText(
  pools: Pool[],
  removed: Pick<RemovedRecord, 'poolGuid' | 'poolLabel'>,
): string | null {
  const pool = pools.find(({ guid }) => guid === removed.poolGuid);
  if (!pool) return `Its pool "${removed.poolLabel}" is not one of this host any more.`;
  return pool.state === 'ready' && pool.mounted ? null : `Its pool "${pool.label}" is not mounted.`;
}
function poolOf(deps: VmDeps, removed: RemovedRecord): Pool {
  const away = awayText(deps.pools.list(), removed);
  const pool = deps.pools.list().find(({ guid }) => guid === removed.poolGuid);
  if (away !== null || !pool)
    throw new AppError(pool ? 'pool_wrong_state' : 'pool_not_found', away ?? '', {
      remedy: pool ? 'Mount it first.' : 'Plug its drives in and import it: its files are on it.',
    });
  return pool;
}

/** Somebody may have made it known again in a shell: then its files are not ours to move. */
async function refuseKnown(deps: VmDeps, plugin: VmPlugin, { id, record: { name } }: RemovedRecord) {
  await deps.readings.refresh(plugin.id);
  const status = deps.readings.of(plugin.id, id);
  if (status === 'unknown')
    throw new AppError(
      'plugin_unavailable',
      `Whether ${plugin.name} knows "${name}" cannot be told: ${deps.readings.reason(plugin.id) ?? ''}`,
    );
  if (status !== 'missing')
    throw wrongState(
      `${plugin.name} knows "${name}" again: somebody has defined it in a shell.`,
      'Undefine it there first.',
    );
}

async function placeIssues({ record, folder }: RemovedRecord): Promise<Issue[]> {
  if ((await namesIn(folder)) === null)
    // Its pool was rolled back to a time when it was not removed: they are where they belong.
    return existsSync(record.spec.diskPath)
      ? []
      : [issue('vm_gone', `Its files are not in ${folder} any more.`)];
  const there = await namesIn(record.spec.folder);
  return there === null || there.length === 0
    ? []
    : [
        issue(
          'file_exists',
          `The folder ${record.spec.folder} is there already and not empty: ${there.slice(0, 3).join(', ')}.`,
        ),
      ];
}

export async function prepareBringBack(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const removed = removedOf(deps.db, parse(vmRequest, request).vmId);
  const { record, facts } = removed;
  const { spec, name } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const { shelve } = plugin;
  if (!shelve) throw wrongState(`The plugin ${plugin.name} cannot bring machines back.`);
  const pool = poolOf(deps, removed);
  await refuseKnown(deps, plugin, removed);
  const issues = [...nameTaken(deps, plugin.id, { id: removed.id, name }), ...(await placeIssues(removed))];
  if (issues.length > 0) throw issuesError(issues);
  const recall = checkVmPlan(plugin, spec, shelve.recall(spec, facts));
  const { takenBytes } = removed;
  const plan = prepared(plugin, record, {
    ...{ title: `Bring back machine ${name}`, steps: [] },
    locks: [usesLock(`pool:${pool.guid}`), `path:${spec.folder}`],
    notes: [
      'It is off when it is back.',
      ...(spec.cdPath !== null && !existsSync(spec.cdPath)
        ? [`${spec.cdPath}, which was in its drive, is gone: change its CD before it is started.`]
        : []),
    ],
    // What it has written is not free any more, and is promised to it again.
    more: { roomBytes: (await roomOn(deps, pool)) + Math.min(takenBytes, promisedDiskBytes(spec)) },
  });
  return { ...plan, steps: unshelveSteps({ spec, facts }, recall) };
}

/** The note first: its folder goes last. What its engine has besides the files goes too. */
function emptySteps(plugin: VmPlugin, removed: RemovedRecord, strange: string[]): Step[] {
  const { record, folder } = removed;
  const spec = movedTo(record.spec, folder);
  const note = notePath(folder);
  return [
    {
      name: 'remove-note',
      title: 'Remove the note beside its disks',
      run: { do: 'remove-file', path: note },
      undo: 'impossible',
      look: not(looks.fileThere(note)),
    },
    ...checkVmPlan(plugin, spec, plugin.destroy(spec, { keepFolder: strange.length > 0 })),
  ];
}

export async function prepareEmpty(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const removed = removedOf(deps.db, parse(vmRequest, request).vmId);
  const { record, folder } = removed;
  const { name } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const pool = poolOf(deps, removed);
  await refuseKnown(deps, plugin, removed);
  const files = filesOf(plugin, movedTo(record.spec, folder));
  const strange = await strangersIn(folder, [...files, notePath(folder)]);
  const losses = await lossesOf(files, movedTo(record.spec, folder));
  const plan = prepared(plugin, record, {
    ...{ title: `Delete the removed machine ${name} for good`, steps: [] },
    locks: [usesLock(`pool:${pool.guid}`)],
    loses: [...losses, ...tpmLosses(record)],
    notes: [
      ...(losses.length === 0 ? ['Its files are gone already.'] : []),
      ...strange.map((path) => `${path} stays: it is not the machine's.`),
      ...(record.disk === 'empty' ? [] : [`The image "${record.imageName}" stays.`]),
    ],
  });
  return { ...plan, steps: emptySteps(plugin, removed, strange) };
}
