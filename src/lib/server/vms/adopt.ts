/** A machine that an engine knows gets a record, and gives it up again: neither touches its disks, or what it does at the moment. */
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { z } from 'zod';
import type { VmPlugin, VmSpec } from '$lib/plugin-api/vm';
import type { VmFound } from '$lib/plugin-api/vm-found';
import type { JsonObject } from '$lib/shared/json';
import { vmAdoptRequest } from '$lib/shared/wire/vm-found';
import { vmRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import { readNeeds } from '../host/image-header';
import { usesLock } from '../operations/locks';
import type { Prepared, RecordOwner } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import { promisedDiskBytes } from './accounts';
import type { VmDeps } from './deps';
import { adoptIssues, findMachines, homeOf, type FoundMachine } from './found';
import { vmLock } from './kinds';
import { tell } from './records';
import { refuseProtected } from './settings';
import { shapeOf } from './shape';
import { deleteVm, findVm, findVmByName, listVms, NO_POOL, changeVm, putVm, type VmRecord } from './store';
import { baseOf, refuseLinked } from './template';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

const adoptInput = z.object({
  record: z.custom<VmRecord>((value) => typeof value === 'object' && value !== null),
});

function capable(plugin: VmPlugin): NonNullable<VmPlugin['adopt']> {
  if (plugin.adopt) return plugin.adopt;
  throw new AppError('not_supported', `The plugin ${plugin.name} takes over no machines.`);
}

async function machineOf(deps: VmDeps, id: string, only: string | undefined): Promise<FoundMachine> {
  const record = findVm(deps.db, id);
  if (record) throw wrongState(`"${record.name}" is in the records already.`);
  for (const plugin of only === undefined ? deps.plugins.vmPlugins() : [only]) {
    await deps.readings.refresh(plugin);
    const [machine] = await findMachines(deps, plugin, [id]);
    if (machine) return machine;
  }
  throw new AppError('vm_not_found', `No engine knows a machine ${id}.`);
}

const cardsIn = ({ cards }: VmFound): NonNullable<VmSpec['cards']> =>
  cards.filter(({ isOurs }) => isOurs).map(({ mac }, index) => ({ slot: index + 1, mac }));

/** Of a machine that a Cairn has made: on the host's bridges too. */
const allCardsIn = ({ cards }: VmFound): NonNullable<VmSpec['cards']> =>
  cards
    .filter(({ isOurs, bridge }) => isOurs || bridge !== null)
    .map(({ mac, bridge }, index) => ({ slot: index + 1, mac, ...(bridge === null ? {} : { bridge }) }));

const mediumIn = ({ media }: VmFound, target: string): string | null =>
  media.find((medium) => medium.target === target)?.path ?? null;

const startsBy = ({ firmware, tpm }: VmFound): Pick<VmSpec, 'firmware' | 'tpm'> => ({
  ...(firmware ? { firmware } : {}),
  ...(tpm ? { tpm } : {}),
});

/** What lies below a disk, where that is a file. */
const belowOf = async (path: string): Promise<string | null> => {
  const { backing: name } = await readNeeds(path);
  return name === null || name.includes(':') ? null : posix.resolve(posix.dirname(path), name);
};

/** It was made by a Cairn, perhaps this one: as if its record had never been away. */
async function wholeSpec(deps: VmDeps, { found }: FoundMachine, folder: string): Promise<VmSpec> {
  const { id, name, cpus, memoryBytes, virtType } = found;
  const disks = found.disks
    .flatMap(({ slot, path, sizeBytes }) =>
      slot === null || path === null ? [] : [{ slot, path, sizeBytes: sizeBytes ?? 0 }],
    )
    .toSorted((a, b) => a.slot - b.slot);
  const [first, ...moreDisks] = disks;
  const isTemplate = first !== undefined && ((await stat(first.path)).mode & 0o222) === 0;
  return {
    ...{ id, name, cpus, memoryBytes, virtType, folder, asRoot: deps.config.sandbox },
    ...{ diskPath: first?.path ?? '', diskBytes: first?.sizeBytes ?? 0 },
    ...(moreDisks.length > 0 ? { moreDisks } : {}),
    ...shapeOf(found),
    // Nobody could write to its disk: others may lie above it.
    ...(isTemplate ? { isTemplate } : {}),
    ...startsBy(found),
    ...{ cards: allCardsIn(found), cdPath: mediumIn(found, 'sda'), seedPath: mediumIn(found, 'sdb') },
  };
}

async function lentSpec({ found, pools }: FoundMachine, poolGuid: string): Promise<VmSpec> {
  const { id, name, cpus, memoryBytes, virtType } = found;
  const disks = found.disks.map(({ target, source, path, sizeBytes }) => ({
    ...{ target, source, path, sizeBytes },
    counted: path !== null && pools.get(path)?.guid === poolGuid,
  }));
  const below = await Promise.all(disks.flatMap(({ path }) => (path === null ? [] : [belowOf(path)])));
  return {
    ...{ id, name, cpus, memoryBytes, virtType, asRoot: false },
    ...{ folder: '', diskPath: '', diskBytes: 0, seedPath: null },
    ...(found.topology ? { topology: found.topology } : {}),
    ...{ cards: cardsIn(found), cdPath: mediumIn(found, 'sda') },
    ...startsBy(found),
    adopted: {
      disks,
      needs: [...found.media.map(({ path }) => path), ...below].filter((path) => path !== null),
    },
  };
}

async function recordFor(deps: VmDeps, machine: FoundMachine): Promise<VmRecord> {
  const { found, plugin, pools } = machine;
  const home = homeOf(machine);
  const onPool = found.disks.map(({ path }) => (path === null ? undefined : pools.get(path)));
  const poolGuid = home?.pool.guid ?? onPool.find((pool) => pool !== undefined)?.guid ?? NO_POOL;
  const spec = home ? await wholeSpec(deps, machine, home.folder) : await lentSpec(machine, poolGuid);
  const below = home ? await belowOf(spec.diskPath) : null;
  const base = listVms(deps.db).find(({ spec: { diskPath } }) => diskPath === below);
  const image = deps.images.list().find(({ path }) => path !== null && path === below);
  const { id, name, cpus, memoryBytes, virtType } = spec;
  return {
    ...{ id, name, plugin, state: 'creating', cpus, memoryBytes, virtType, poolGuid },
    spec: base ? { ...spec, basedOn: base.id } : spec,
    disk: base ? 'linked' : below === null ? 'copy' : 'overlay',
    diskBytes: promisedDiskBytes(spec),
    ...{ imageId: image?.id ?? '', imageName: image?.name ?? (below === null ? '' : posix.basename(below)) },
    ...{ user: null, failedOperationId: null, failedText: null, createdAt: deps.clock.now() },
  };
}

function notesOf(record: VmRecord, found: VmFound): string[] {
  const { adopted } = record.spec;
  if (!adopted)
    return ['It was made by a Cairn: its disks are managed here again, and go with it when it is removed.'];
  const elsewhere = adopted.disks.filter(({ counted }) => !counted);
  return [
    'Its disks stay as they are: they are never changed here, nor deleted, not even with the machine.',
    ...elsewhere.map(({ target, source }) => `${target} (${source}) is counted on no pool.`),
    ...found.cards
      .filter(({ isOurs }) => !isOurs)
      .map(({ mac, network }) => `The network card ${mac} (${network}) stays as it is, and is not shown.`),
  ];
}

export async function prepareAdopt(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, plugin: only } = parse(vmAdoptRequest, request);
  const machine = await machineOf(deps, vmId, only);
  const plugin = deps.plugins.vm(machine.plugin);
  const steps = capable(plugin);
  const issues = adoptIssues(deps, machine);
  if (issues.length > 0) throw issuesError(issues);
  const record = await recordFor(deps, machine);
  const { name, spec, cpus } = record;
  return {
    input: JSON.parse(JSON.stringify({ record })) as JsonObject,
    title: `Adopt ${name}`,
    subject: { type: 'vm', id: record.id, label: name },
    steps: checkVmPlan(plugin, spec, steps.keep(spec)),
    locks: [vmLock(record.id), ...(record.poolGuid === NO_POOL ? [] : [usesLock(`pool:${record.poolGuid}`)])],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      `What it has is counted from now on: its CPUs (${cpus}) and its memory while it is on, and its disks on their pool.`,
      'If it is on, it goes on. Nothing of its definition changes but a note that Cairn keeps it.',
      ...notesOf(record, machine.found),
    ],
  };
}

/** The record is there from the beginning, so that nobody else takes its name or counts without it. */
export const adoptRecord = (deps: VmDeps): RecordOwner => ({
  begin(tx, _operationId, { input }) {
    const { record } = adoptInput.parse(input);
    if (findVm(tx, record.id)) throw wrongState(`"${record.name}" is in the records already.`);
    if (findVmByName(tx, record.name))
      throw new AppError('vm_name_taken', `There is a machine called "${record.name}" already.`);
    putVm(tx, record);
    tell(deps, record.id);
  },
  succeed(tx, _operationId, { subject }) {
    changeVm(tx, subject.id, { state: 'ready' });
    tell(deps, subject.id);
  },
  takenBack(tx, _operationId, { subject }) {
    deleteVm(tx, subject.id);
    tell(deps, subject.id);
  },
  needsYou(tx, _operationId, { subject }) {
    deleteVm(tx, subject.id);
    tell(deps, subject.id);
  },
});

/** Only the record goes: it is found again as long as its engine knows it. */
export async function prepareRelease(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  refuseProtected(deps.db, record);
  if (record.state !== 'ready')
    throw wrongState(
      record.state === 'failed' ? `"${record.name}" was never made.` : `"${record.name}" is not at rest.`,
      record.state === 'failed' ? 'Remove it instead.' : undefined,
    );
  refuseLinked(deps.db, record);
  const base = baseOf(deps.db, record);
  if (base)
    throw new AppError('vm_is_linked', `The disk of "${record.name}" lies above that of "${base.name}".`);
  const plugin = deps.plugins.vm(record.plugin);
  const steps = capable(plugin).giveUp(record.spec);
  const status = await statusNow(deps, record);
  return prepared(plugin, record, {
    title: `Give up ${record.name}`,
    steps,
    notes: [
      status === 'missing'
        ? `${plugin.name} does not know it any more: only its files are left, and stay where they are.`
        : `It stays as it is in ${plugin.name}, on or off, with its disks, and can be adopted again.`,
      'What was said of it here goes: its tags, its notes, when it starts, and what it has used.',
    ],
  });
}
