/**
 * A machine of a copy of the configuration gets its record and its definition again; its disks are where they were, and are not
 * touched. Nothing of its definition is taken from the copy, which may be somebody else's: it is made from what it is, as
 * for a machine that is new. So no copy can name a file outside of the machine's folder, or a program.
 */
import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import { z } from 'zod';
import { disksOf, type VmSpec } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { macIssues, topologyIssues, vmNameIssues } from '$lib/shared/vm-rules';
import { configurationMachine, type ConfigurationMachine } from '$lib/shared/wire/configuration';
import { AppError, issuesError } from '../errors';
import { reachesOutside } from '../host/image-chain';
import { usesLock } from '../operations/locks';
import type { Prepared, RecordOwner } from '../operations/types';
import { promisedDiskBytes } from './accounts';
import type { VmDeps } from './deps';
import { firmwareFor } from './firmware';
import { cpuModelIssues } from './cpu-model';
import { folderOf } from './place';
import { nameTaken, poolFor } from './prepare-create';
import { tell } from './records';
import { changeSettings } from './settings-store';
import { shapeOf } from './shape';
import { changeVm, deleteVm, findVm, findVmByName, putVm, type VmRecord } from './store';
import { parse, prepared, wrongState } from './verb';

const recallRequest = z.object({ machine: configurationMachine });
const recallInput = z.object({
  record: z.custom<VmRecord>((value) => typeof value === 'object' && value !== null),
  machine: configurationMachine,
});

async function specOf(deps: VmDeps, machine: ConfigurationMachine, folder: string): Promise<VmSpec> {
  const { id, name, cpus, memoryBytes, disks, cards, boot } = machine;
  const plugin = deps.plugins.vm(machine.plugin);
  const [first, ...more] = disks.toSorted((a, b) => a.slot - b.slot);
  if (first?.slot !== 1) throw new AppError('vm_disk_gone', `"${name}" has no first disk in the copy.`);
  // What helped there may not be here.
  const { virtType } =
    machine.virtType === 'qemu' ? { virtType: 'qemu' as const } : await deps.plugins.acceleration(plugin.id);
  return {
    ...{ id, name, cpus, memoryBytes, virtType, folder, asRoot: deps.config.sandbox },
    ...{ diskPath: posix.join(folder, 'disk.qcow2'), diskBytes: first.sizeBytes, cdPath: null },
    seedPath: machine.hasSeed ? posix.join(folder, 'seed.iso') : null,
    ...(more.length > 0
      ? {
          moreDisks: more.map(({ slot, sizeBytes }) => ({
            ...{ slot, sizeBytes, path: posix.join(folder, `disk-${slot}.qcow2`) },
          })),
        }
      : {}),
    ...shapeOf(machine),
    ...(boot ? { boot } : {}),
    ...(cards
      ? { cards: cards.map(({ slot, mac, bridge }) => ({ slot, mac, ...(bridge ? { bridge } : {}) })) }
      : {}),
    ...(machine.isTemplate ? { isTemplate: true as const } : {}),
    ...(machine.basedOn ? { basedOn: machine.basedOn } : {}),
    ...(await firmwareFor(deps, plugin, folder, {
      firmware: machine.firmware,
      tpm: machine.tpm,
    })),
  };
}

/** Plain files, or links to nowhere: a link could lead out of the pool. */
async function missingIn(spec: VmSpec): Promise<string[]> {
  const paths = [...disksOf(spec).map(({ path }) => path), ...(spec.seedPath ? [spec.seedPath] : [])];
  const there = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => !there[index]);
}

/** @throws AppError image_unsupported */
async function refuseOutside(spec: VmSpec, name: string, roots: string[]): Promise<void> {
  for (const { path } of disksOf(spec)) {
    const outside = await reachesOutside(path, roots);
    if (outside !== null)
      throw new AppError('image_unsupported', `${posix.basename(path)} of "${name}": ${outside}`, {
        remedy: 'Make a new machine, and bring its disk in as an image, which is looked into.',
      });
  }
}

export async function prepareRecall(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { machine } = parse(recallRequest, request);
  const { id, name, poolGuid } = machine;
  if (machine.isAdopted)
    throw wrongState(
      `Cairn did not make "${name}": nothing of its definition is kept here.`,
      'Define it in its engine again, then adopt it.',
    );
  const known = findVm(deps.db, id);
  if (known) throw wrongState(`"${known.name}" is in the records already.`);
  const plugin = deps.plugins.vm(machine.plugin);
  const { shelve } = plugin;
  if (!shelve) throw wrongState(`The plugin ${plugin.name} cannot bring machines back.`);
  const pool = poolFor(deps.pools.list(), poolGuid);
  await deps.readings.refresh(plugin.id);
  const status = deps.readings.of(plugin.id, id);
  if (status === 'unknown')
    throw new AppError('plugin_unavailable', `Whether ${plugin.name} knows "${name}" cannot be told.`);
  if (status !== 'missing') throw wrongState(`${plugin.name} knows "${name}".`, 'Adopt it instead.');
  const issues = [
    ...vmNameIssues(name),
    ...nameTaken(deps, plugin.id, { id, name }),
    ...topologyIssues(machine.cpus, machine.topology),
    ...(await cpuModelIssues(deps, plugin, machine.cpuModel)),
    ...(machine.cards ?? []).flatMap(({ mac }, index) => macIssues(mac, `cards.${index}.mac`)),
  ];
  if (issues.length > 0) throw issuesError(issues);
  const spec = await specOf(deps, machine, folderOf(pool.mountPath, name));
  const missing = await missingIn(spec);
  if (missing.length > 0) throw new AppError('vm_disk_gone', `There is no ${missing.join(', ')}.`);
  await refuseOutside(
    spec,
    name,
    deps.pools.list().map(({ mountPath }) => mountPath),
  );
  const { cpus, memoryBytes, disk, imageId, imageName, user, createdAt } = machine;
  const record: VmRecord = {
    ...{ id, name, plugin: plugin.id, state: 'creating', cpus, memoryBytes, disk, poolGuid, spec },
    ...{ virtType: spec.virtType, diskBytes: promisedDiskBytes(spec), imageId, imageName, user },
    ...{ failedOperationId: null, failedText: null, createdAt },
  };
  return prepared(plugin, record, {
    title: `Restore machine ${name}`,
    steps: shelve.recall(spec, null),
    locks: [usesLock(`pool:${poolGuid}`), `path:${spec.folder}`],
    notes: ['Its disks stay as they are. It is off, and starts when somebody starts it.'],
    more: JSON.parse(JSON.stringify({ record, machine })) as JsonObject,
  });
}

/** The record is there from the beginning, so that nobody else takes its name. */
export const recallRecord = (deps: VmDeps): RecordOwner => {
  const without = (tx: Parameters<RecordOwner['begin']>[0], id: string): void => {
    deleteVm(tx, id);
    tell(deps, id);
  };
  return {
    begin(tx, _operationId, { input }) {
      const { record, machine } = recallInput.parse(input);
      if (findVm(tx, record.id)) throw wrongState(`"${record.name}" is in the records already.`);
      if (findVmByName(tx, record.name))
        throw new AppError('vm_name_taken', `There is a machine called "${record.name}" already.`);
      putVm(tx, record);
      changeSettings(tx, record.id, {
        ...machine.settings,
        // It does not start by itself because it is back.
        turnBootId: deps.host.bootId(),
      });
      tell(deps, record.id);
    },
    succeed(tx, _operationId, { subject: { id } }) {
      changeVm(tx, id, { state: 'ready' });
      tell(deps, id);
    },
    takenBack: (tx, _operationId, { subject: { id } }) => without(tx, id),
    needsYou: (tx, _operationId, { subject: { id } }) => without(tx, id),
  };
};
