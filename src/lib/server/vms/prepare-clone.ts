/** The plan of a machine that begins as another one is: with a full copy of its disk, and with a name and addresses of its own. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import type { VmOrigin, VmSpec } from '$lib/plugin-api/vm';
import { bootDevicesOf, bootOrderOf } from '$lib/plugin-api/vm-boot';
import type { JsonObject } from '$lib/shared/json';
import { vmNameIssues } from '$lib/shared/vm-rules';
import { vmCloneRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import { metaData, renamedUserData } from './cloud-init';
import { wishedCards } from './card-rules';
import type { VmDeps } from './deps';
import { clonedFirmware, nvramFrom } from './firmware';
import { vmLock } from './kinds';
import { folderIssues, folderOf, reachIssues, roomOn } from './place';
import { nameTaken, poolFor } from './prepare-create';
import { shapeOf } from './shape';
import { findVm, type VmRecord } from './store';
import { parse, recordOf, statusNow, wrongState } from './verb';

/** Nobody writes to its disk, and what is on it is all there is. */
export async function refuseUnlessAtRest(
  deps: VmDeps,
  source: VmRecord,
  verb: 'cloned' | 'exported' | 'a template',
  which: 'first' | 'all' = 'first',
): Promise<void> {
  const { name } = source;
  if (source.state !== 'ready') throw wrongState(`"${name}" is not at rest.`);
  const status = await statusNow(deps, source);
  if (status === 'saved')
    throw wrongState(
      `What "${name}" is at work on is in its saved memory, and its disk alone is not whole.`,
      'Start it and shut it down, or discard its saved memory first.',
    );
  if (status === 'missing')
    throw wrongState(`Its engine does not know "${name}" any more.`, 'Start it once, and shut it down.');
  if (status !== 'stopped' && status !== 'crashed')
    throw wrongState(`"${name}" is ${status}.`, 'Shut it down first.');
  const why = await deps.plugins.vmCloneWhy(source.plugin, source.spec, which);
  if (why !== null) throw new AppError('not_supported', `"${name}" cannot be ${verb}. ${why}`);
}

/** What cloud-init is to do the first time, once more: as it takes the new id for a new machine. */
async function seedOf(source: VmRecord, spec: VmSpec): Promise<VmOrigin['seed']> {
  if (source.spec.seedPath === null) return null;
  const path = posix.join(source.spec.folder, 'user-data');
  try {
    return {
      userData: renamedUserData(await readFile(path, 'utf8'), spec.name),
      metaData: metaData(spec.id, spec.name),
      // Its addresses stay its own.
      networkConfig: null,
      // Its password is on the disk that is copied.
      secretPath: null,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'not_supported',
      `What cloud-init is told of "${source.name}" cannot be read: ${why}`,
      {
        cause: error,
        remedy: `Look at ${path}.`,
      },
    );
  }
}

export async function prepareClone(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, cloneId: id, name, poolGuid, disk: how } = parse(vmCloneRequest, request);
  const source = recordOf(deps.db, vmId);
  const plugin = deps.plugins.vm(source.plugin);
  const linked = how === 'linked';
  if (linked && !source.spec.isTemplate)
    throw new AppError('vm_not_template', `"${source.name}" is no template, and its disk changes.`);
  if (linked && poolGuid !== undefined && poolGuid !== source.poolGuid)
    throw wrongState(
      'A linked clone lies on the pool of its template.',
      'Take a full copy, or leave the pool out.',
    );
  await refuseUnlessAtRest(deps, source, 'cloned');
  const issues = [...vmNameIssues(name), ...nameTaken(deps, plugin.id, { id, name })];
  if (issues.length > 0) throw issuesError(issues);
  const from = poolFor(deps.pools.list(), source.poolGuid);
  const pool = poolFor(deps.pools.list(), poolGuid ?? source.poolGuid);
  const folder = folderOf(pool.mountPath, name);
  const wrong = [
    ...(await folderIssues(folder)),
    ...(deps.config.sandbox ? [] : await reachIssues(folder, 'poolGuid')),
  ];
  if (wrong.length > 0) throw issuesError(wrong);

  const { virtType } = await deps.plugins.acceleration(plugin.id);
  const { cpus, memoryBytes, diskBytes, cdPath } = source.spec;
  // Nothing else of the source's: what it was given since, its files above all, stays its own.
  const spec: VmSpec = {
    ...{ id, name, cpus, memoryBytes, diskBytes, cdPath },
    ...shapeOf(source.spec),
    ...{ folder, virtType, asRoot: deps.config.sandbox },
    diskPath: posix.join(folder, 'disk.qcow2'),
    seedPath: source.spec.seedPath === null ? null : posix.join(folder, 'seed.iso'),
    ...(linked ? { basedOn: source.id } : {}),
    ...(await clonedFirmware(deps, plugin, source.spec, folder)),
  };
  // In the same networks, with addresses of its own.
  if (source.spec.cards && plugin.cards)
    spec.cards = wishedCards(
      plugin,
      spec,
      source.spec.cards.map(({ bridge = null }) => ({ bridge })),
    );
  const boot = bootOrderOf(source.spec).filter((device) => bootDevicesOf(spec).includes(device));
  if (source.spec.boot && boot.length > 0) spec.boot = boot;
  const record: VmRecord = {
    ...source,
    ...{ id, name, spec, virtType, state: 'creating', poolGuid: pool.guid },
    // An installer in its drive is still somebody else's file.
    disk: linked ? 'linked' : source.disk === 'empty' ? 'empty' : 'copy',
    ...{ failedOperationId: null, failedText: null },
    createdAt: findVm(deps.db, id)?.createdAt ?? deps.clock.now(),
  };
  const origin: VmOrigin = {
    image: { path: source.spec.diskPath, format: 'qcow2', how: linked ? 'overlay' : 'copy' },
    ...nvramFrom(source.spec),
    seed: await seedOf(source, spec),
  };
  const roomBytes = await roomOn(deps, pool);
  return {
    input: JSON.parse(JSON.stringify({ record, roomBytes, needsSecret: false })) as JsonObject,
    title: `Clone ${source.name} as ${name}`,
    subject: { type: 'vm', id, label: name },
    steps: checkVmPlan(plugin, spec, plugin.create(spec, origin)),
    locks: [
      vmLock(id),
      // It is neither started nor changed while it is copied.
      vmLock(source.id),
      `path:${folder}`,
      ...[...new Set([from.guid, pool.guid])].map((guid) => usesLock(`pool:${guid}`)),
    ],
    drives: [],
    erases: [],
    confirmText: null,
    notes: [
      linked
        ? `Its disk holds what differs from that of "${source.name}", which has to stay a template.`
        : `The disk of "${source.name}" is copied as it is now, without its snapshots; "${source.name}" itself stays as it is.`,
      spec.seedPath === null
        ? `Inside, it is "${source.name}" still: with its host name, its keys and its addresses, until somebody changes them.`
        : 'cloud-init takes it for a new machine at its first start: with a host name and SSH host keys of its own. Who may log in stays.',
      ...(source.spec.seedNetwork && source.spec.seedNetwork.addresses.length > 0
        ? [`The addresses of "${source.name}" stay its own: the clone asks for one by DHCP.`]
        : []),
      ...(spec.firmware ? [`What the UEFI of "${source.name}" remembers is copied too.`] : []),
      ...(spec.tpm
        ? [
            `Its TPM is a new one, and empty: what is sealed by that of "${source.name}", such as a disk encrypted with BitLocker, asks for its recovery key.`,
          ]
        : []),
      'It is off when it is there.',
    ],
  };
}
