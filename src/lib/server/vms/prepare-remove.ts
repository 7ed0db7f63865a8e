/** The plan of removing a machine: it is kept for a while with all its files, or goes for good at once. */
import type { JsonObject } from '$lib/shared/json';
import type { VmPlugin } from '$lib/plugin-api/vm';
import type { Pool } from '$lib/shared/wire/pools';
import { vmRemoveRequest } from '$lib/shared/wire/vms';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import type { VmDeps } from './deps';
import { tpmLosses } from './firmware';
import { namesIn } from './place';
import { poolFor } from './prepare-create';
import { removalNotes } from './prepare-snapshots';
import { keepDays } from './removed-store';
import { memoryOf } from './saved-memory';
import { refuseProtected } from './settings';
import { filesOf, lossesOf, shelfOf, shelveSteps, strangersIn, totalTaken } from './shelf';
import type { VmRecord } from './store';
import { refuseLinked } from './template';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

type Status = Awaited<ReturnType<typeof statusNow>>;

interface Removal {
  record: VmRecord;
  plugin: VmPlugin;
  status: Status;
  pool: Pool | undefined;
}

/** What an image it lies above is for, and what of its folder is somebody else's. */
const imageNote = (record: VmRecord): string[] =>
  record.disk === 'empty' || record.imageName === '' ? [] : [`The image "${record.imageName}" stays.`];

async function forGood(deps: VmDeps, removal: Removal): Promise<Prepared> {
  const { record, plugin, status, pool } = removal;
  const { spec, name } = record;
  const files = filesOf(plugin, spec);
  const strange = await strangersIn(spec.folder, files);
  const losses = await lossesOf(files, spec);
  return prepared(plugin, record, {
    title: `Remove machine ${name} for good`,
    steps: plugin.destroy(spec, { keepFolder: strange.length > 0 }),
    locks: pool ? [usesLock(`pool:${pool.guid}`)] : [],
    loses: [
      ...losses,
      ...tpmLosses(record),
      ...(status === 'saved' ? [`What "${name}" had in its memory when it was saved.`] : []),
    ],
    notes: [
      ...(status === 'missing' ? [] : await removalNotes(deps, record)),
      ...(losses.length === 0 ? ['Its files are gone already.'] : []),
      ...strange.map((path) => `${path} stays: it is not the machine's.`),
      ...imageNote(record),
    ],
  });
}

async function forAWhile(deps: VmDeps, removal: Removal & { pool: Pool }): Promise<Prepared> {
  const { record, plugin, status, pool } = removal;
  const { spec, name } = record;
  const { shelve } = plugin;
  if (!shelve) return forGood(deps, removal);
  const facts = status === 'missing' ? null : await deps.plugins.vmShelveFacts(plugin.id, spec);
  const files = filesOf(plugin, spec);
  const strange = await strangersIn(spec.folder, files);
  const shelved = await namesIn(shelfOf(spec));
  if (shelved !== null)
    throw wrongState(
      `${shelfOf(spec)}, where its files are to be kept, is there already: ${shelved.slice(0, 3).join(', ')}.`,
      'Look at what is there; move it away, then try again.',
    );
  const days = keepDays(deps.db);
  const folder = shelfOf(spec);
  const forget = checkVmPlan(plugin, spec, shelve.forget(spec, facts));
  const plan = prepared(plugin, record, {
    title: `Remove machine ${name}`,
    steps: status === 'saved' ? memoryOf(plugin).discard(spec) : [],
    locks: [usesLock(`pool:${pool.guid}`), `path:${spec.folder}`],
    loses: status === 'saved' ? [`What "${name}" had in its memory when it was saved.`] : [],
    notes: [
      `Its files are kept in ${folder} for ${days === 1 ? 'a day' : `${days} days`}, and take room on the pool "${pool.label}" until then. It can be brought back, with its snapshots.`,
      `Kept: ${[...(await lossesOf(files, spec)), ...strange].join('; ')}.`,
      ...(spec.tpm ? ['What its TPM keeps stays on this host until then.'] : []),
      ...imageNote(record),
      'What it has used in the past is not shown any more.',
    ],
    more: {
      shelved: {
        ...{ poolGuid: pool.guid, poolLabel: pool.label, facts, folder, days },
        takenBytes: await totalTaken([...files, ...strange]),
      },
    },
  });
  return { ...plan, steps: [...plan.steps, ...shelveSteps({ spec, facts }, forget)] };
}

/** What was not made here is not deleted here, nor moved. */
const adoptedRemoval = (plugin: VmPlugin, record: VmRecord, status: Status): Prepared =>
  prepared(plugin, record, {
    title: `Remove machine ${record.name}`,
    steps: plugin.destroy(record.spec, { keepFolder: true }),
    loses: [
      `What ${plugin.name} keeps of "${record.name}": its definition, and what it notes of its snapshots.`,
      ...(status === 'saved' ? [`What "${record.name}" had in its memory when it was saved.`] : []),
    ],
    notes: (record.spec.adopted?.disks ?? []).map(({ source }) => `${source} stays: Cairn did not make it.`),
  });

export async function prepareRemove(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, forGood: atOnce } = parse(vmRemoveRequest, request);
  const record = recordOf(deps.db, vmId);
  refuseProtected(deps.db, record);
  refuseLinked(deps.db, record);
  const plugin = deps.plugins.vm(record.plugin);
  const names = await namesIn(record.spec.folder);
  const status = await statusNow(deps, record);
  // Its creation was taken back: only its name is left.
  if (record.state === 'failed' && names === null && status === 'missing')
    return prepared(plugin, record, {
      ...{ title: `Remove machine ${record.name}`, steps: [], notes: ['Nothing of it is on the host.'] },
    });
  if (!isOff(status)) throw wrongState(`"${record.name}" is ${status}.`, 'Stop it first.');
  const pool = deps.pools.list().find(({ guid }) => guid === record.poolGuid);
  if (pool) poolFor([pool], pool.guid);
  if (record.spec.adopted) return adoptedRemoval(plugin, record, status);
  const removal = { record, plugin, status, pool };
  return atOnce || record.state === 'failed' || names === null || !pool
    ? forGood(deps, removal)
    : forAWhile(deps, { ...removal, pool });
}
