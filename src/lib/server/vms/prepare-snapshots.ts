/** The plans of taking, restoring and deleting snapshots of a machine. Nothing is changed. */
import { z } from 'zod';
import type { VmMade, VmPlugin, VmSnapshot, VmSnapshotsReading, VmStatus } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { vmSnapshotNameIssues } from '$lib/shared/snapshot-names';
import { formatBytes } from '$lib/shared/units';
import {
  vmSnapshotDeleteRequest,
  vmSnapshotRestoreRequest,
  vmSnapshotTakeRequest,
} from '$lib/shared/wire/vm-snapshots';
import { vmTopology } from '$lib/shared/wire/vms';
import { AppError, issue, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import type { VmDeps } from './deps';
import { poolOf } from './prepare-create';
import type { VmRecord } from './store';
import { refuseTemplate } from './template';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

/** Left free on the pool besides what the snapshot takes. */
const RESERVE_BYTES = 64 * 1024 ** 2;

const made = z.object({
  cards: z.array(z.object({ slot: z.number(), mac: z.string() })),
  ...{ cdPath: z.string().nullable(), topology: vmTopology.nullable(), boot: z.array(z.string()) },
});
/** Of a restore: what the machine has when it has ended, and whether it is on then. */
export const restoreInput = z.object({
  vmId: z.string(),
  cpus: z.number(),
  memoryBytes: z.number(),
  goesOn: z.boolean(),
  made: made.optional(),
});

type Capable = VmPlugin & { snapshots: NonNullable<VmPlugin['snapshots']> };
function capable(plugin: VmPlugin): Capable {
  if (plugin.snapshots !== undefined) return plugin as Capable;
  throw new AppError('not_supported', `The plugin ${plugin.name} cannot keep states of machines.`);
}

interface Subject {
  record: VmRecord;
  plugin: Capable;
  status: VmStatus;
  reading: VmSnapshotsReading;
}

async function subjectOf(deps: VmDeps, vmId: string): Promise<Subject> {
  const record = recordOf(deps.db, vmId);
  refuseTemplate(record);
  const plugin = capable(deps.plugins.vm(record.plugin));
  const status = await statusNow(deps, record);
  if (status === 'missing')
    throw wrongState(
      `${plugin.name} does not know "${record.name}" any more.`,
      'Start it once: that makes it known again.',
    );
  return { record, plugin, status, reading: await deps.plugins.vmSnapshots(plugin.id, record.spec) };
}

/** With what its memory says of the disk, which is not in it. */
function refuseSaved({ status, record: { name } }: Subject, what: string): void {
  if (status === 'saved')
    throw wrongState(
      `"${name}" is to go on with its saved memory, which fits the disk only as it is now.`,
      `Start it, or discard its saved memory; ${what} then.`,
    );
  if (status === 'stopping') throw wrongState(`"${name}" is shutting down.`, 'Wait until it is off.');
}

/** What belongs to its disk. */
function besides({ spec }: VmRecord): string {
  const all = [
    ...(spec.firmware ? ['what its UEFI remembers'] : []),
    ...(spec.tpm ? ['what its TPM keeps'] : []),
  ];
  return all.length > 0 ? `, with ${all.join(' and ')}` : '';
}

const isOn = ({ status }: Subject): boolean => status === 'running' || status === 'paused';

async function refuseNoRoom(deps: VmDeps, subject: Subject): Promise<number> {
  const { record } = subject;
  const pool = poolOf(deps, record);
  const { availableBytes } = await deps.host.usage(pool.mountPath);
  const needed = isOn(subject) ? record.memoryBytes : 0;
  if (needed + RESERVE_BYTES > availableBytes)
    throw new AppError(
      'vm_snapshot_no_room',
      `The pool "${pool.label}" has ${formatBytes(availableBytes)} free; ${
        needed > 0 ? `the memory of "${record.name}" is ${formatBytes(needed)}, and ` : ''
      }${formatBytes(RESERVE_BYTES)} stay free.`,
    );
  return availableBytes;
}

/** A name that nobody has, neither its engine nor its disks. @returns what is free on the pool */
async function refuseToTake(
  deps: VmDeps,
  subject: Subject,
  { name, field }: { name: string; field: string },
): Promise<number> {
  const { record, reading } = subject;
  const issues = vmSnapshotNameIssues(name, field);
  if (issues.length > 0) throw issuesError(issues);
  if (reading.takeWhy !== null)
    throw new AppError('not_supported', `No snapshot can be taken of "${record.name}": ${reading.takeWhy}`);
  const taken = [...reading.snapshots.map((one) => one.name), ...reading.strays];
  if (taken.includes(name))
    throw issuesError([
      issue('snapshot_name_taken', `"${record.name}" has a snapshot "${name}" already.`, field),
    ]);
  return refuseNoRoom(deps, subject);
}

function found({ record, reading }: Subject, name: string, verb: 'restore' | 'delete'): VmSnapshot {
  const snapshot = reading.snapshots.find((one) => one.name === name);
  if (!snapshot) throw new AppError('snapshot_not_found', `"${record.name}" has no snapshot "${name}".`);
  const why = snapshot[`${verb}Why`];
  if (why === null) return snapshot;
  throw new AppError('not_supported', `The snapshot "${name}" cannot be ${verb}d here. ${why}`);
}

const poolLock = (deps: VmDeps, { record }: Subject): string => usesLock(`pool:${poolOf(deps, record).guid}`);

export async function prepareTake(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, name, description = '' } = parse(vmSnapshotTakeRequest, request);
  const subject = await subjectOf(deps, vmId);
  refuseSaved(subject, 'take the snapshot');
  const freeBytes = await refuseToTake(deps, subject, { name, field: 'name' });
  const { record, plugin, reading } = subject;
  return prepared(plugin, record, {
    title: `Take the snapshot "${name}" of ${record.name}`,
    steps: plugin.snapshots.take(
      record.spec,
      { name, description: description === '' ? null : description },
      reading.facts,
    ),
    locks: [poolLock(deps, subject)],
    notes: [
      isOn(subject)
        ? `Its memory is in it: it stands still until that, ${formatBytes(record.memoryBytes)} at most, is written.`
        : `It is off: its disk is in it${besides(record)}.`,
      `What the machine changes from now on takes room of its own: up to ${formatBytes(record.diskBytes)} more on the pool, which has ${formatBytes(freeBytes)} free.`,
    ],
  });
}

/** What it goes on with has to fit into the host. */
function refuseNoMemory(deps: VmDeps, subject: Subject, { size }: VmSnapshot): void {
  const { record } = subject;
  const availableBytes = deps.hostSize().availableBytes + (isOn(subject) ? record.memoryBytes : 0);
  if (size.memoryBytes > availableBytes)
    throw new AppError(
      'memory_taken',
      `Only ${formatBytes(availableBytes)} of memory are free on the host now; "${record.name}" had ${formatBytes(size.memoryBytes)}.`,
    );
}

function restoreNote({ record }: Subject, { wasIn, size }: VmSnapshot): string {
  const same = size.cpus === record.cpus && size.memoryBytes === record.memoryBytes;
  return [
    wasIn === 'off'
      ? 'It is off afterwards: no memory is in the snapshot.'
      : `It goes on from that very moment, ${wasIn}, with its memory of then.`,
    ...(same
      ? []
      : [
          `It has ${size.cpus} ${size.cpus === 1 ? 'CPU' : 'CPUs'} and ${formatBytes(size.memoryBytes)} of memory again.`,
        ]),
    'All else that was set for it in its engine is as it was then, too.',
  ].join(' ');
}

/** The CD of then stays until it is known to be in the drive again. */
const cdLocks = ({ images }: VmDeps, has: VmMade | undefined): string[] =>
  images
    .list()
    .filter(({ path }) => path !== null && path === has?.cdPath)
    .map(({ id }) => usesLock(`image:${id}`));

export async function prepareRestore(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, name, keepAs } = parse(vmSnapshotRestoreRequest, request);
  const subject = await subjectOf(deps, vmId);
  const { record, plugin, reading } = subject;
  const snapshot = found(subject, name, 'restore');
  refuseSaved(subject, 'restore it');
  const goesOn = snapshot.wasIn !== 'off';
  if (goesOn) refuseNoMemory(deps, subject, snapshot);
  const locks = [poolLock(deps, subject)];
  if (keepAs !== undefined) await refuseToTake(deps, subject, { name: keepAs, field: 'keepAs' });
  const { spec } = record;
  const { facts } = reading;
  const has = plugin.snapshots.madeOf?.(spec, snapshot, facts);
  const kept = { name: keepAs ?? '', description: `As it was before "${name}" was restored` };
  return prepared(plugin, record, {
    title: `Restore ${record.name} to "${name}"`,
    steps: [
      ...(keepAs === undefined ? [] : plugin.snapshots.take(spec, kept, facts)),
      ...plugin.snapshots.restore(spec, snapshot, facts),
    ],
    locks: [...locks, ...cdLocks(deps, has)],
    more: {
      ...snapshot.size,
      goesOn,
      ...(has ? { made: JSON.parse(JSON.stringify(has)) as JsonObject } : {}),
    },
    loses:
      keepAs === undefined
        ? [
            `Everything that was written to the disk of "${record.name}" since "${name}" was taken.`,
            ...(record.spec.tpm
              ? ['What its TPM was given since, such as keys of disks that were encrypted later.']
              : []),
            ...(isOn(subject) ? ['What it has in its memory now.'] : []),
          ]
        : [],
    notes: [
      ...(keepAs === undefined
        ? ['Nothing is lost when a snapshot of how it is now is taken first.']
        : [`How it is now is kept as "${keepAs}".`]),
      restoreNote(subject, snapshot),
    ],
  });
}

export async function prepareDelete(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, name } = parse(vmSnapshotDeleteRequest, request);
  const subject = await subjectOf(deps, vmId);
  const { record, plugin } = subject;
  const snapshot = found(subject, name, 'delete');
  const memory = snapshot.wasIn === 'off' ? '' : ', with its memory';
  return prepared(plugin, record, {
    title: `Delete the snapshot "${name}" of ${record.name}`,
    steps: plugin.snapshots.delete(record.spec, snapshot),
    locks: [poolLock(deps, subject)],
    loses: [`What "${record.name}" was when "${name}" was taken${memory}.`],
    confirmText: name,
    notes: ['The machine as it is now, and its other snapshots, stay as they are.'],
  });
}

/** What becomes of its snapshots with a change of the machine, for the plan of that; nothing when it has none. */
async function snapshotNotes(
  deps: VmDeps,
  { plugin, spec }: VmRecord,
  becomes: (those: string) => string,
): Promise<string[]> {
  if (!deps.plugins.vm(plugin).snapshots) return [];
  try {
    const { snapshots } = await deps.plugins.vmSnapshots(plugin, spec);
    const names = snapshots.map(({ name }) => `"${name}"`).join(', ');
    return snapshots.length > 0 ? [`${becomes('Its snapshots')}: ${names}.`] : [];
  } catch (error) {
    deps.log.warn({ error, machine: spec.name }, 'the snapshots of a machine could not be read');
    return [`${becomes('Its snapshots, if it has any,')}.`];
  }
}
export const removalNotes = (deps: VmDeps, record: VmRecord): Promise<string[]> =>
  snapshotNotes(deps, record, (those) => `${those} are deleted`);
/** Each is of all the disks that there were. */
export const diskRemovalNotes = (deps: VmDeps, record: VmRecord): Promise<string[]> =>
  snapshotNotes(deps, record, (those) => `${those} cannot be restored without this disk`);
