/** From a request to let drives join, leave or take another's place to its plan. Nothing is changed. */
import type { PoolDrive, PoolReading, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import type { ChangeVerb } from '$lib/shared/wire/pool-changes';
import {
  poolChangeRequest,
  requestIssues,
  type MemberChoice,
  type PoolChangeRequest,
  type PoolChangeRequestOf,
  type PoolCreateRequest,
} from '$lib/shared/wire/requests';
import { erasureOf } from '../drives/erasure';
import { AppError, issue, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { lackOf, refusalOf, replacementBytes } from './change-rules';
import { chooseDrives, namedDrives, type Choice } from './choose-drives';
import type { PoolDeps } from './deps';
import { mountAgain, preparedOf, subjectOf, type Subject } from './subject';

/** @throws AppError invalid_input | unknown_field with all issues */
export function parseChange<V extends PoolChangeRequest['verb']>(
  verb: V,
  request: JsonObject,
): PoolChangeRequestOf<V> {
  const parsed = poolChangeRequest.safeParse({ verb, ...request });
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  if (parsed.data.verb !== verb)
    throw issuesError([issue('invalid_input', `It asks to ${parsed.data.verb}, not to ${verb}.`, 'verb')]);
  return parsed.data as PoolChangeRequestOf<V>;
}

/** The pool, what the machine says about it now, and that the change fits. @throws AppError not_supported | pool_wrong_state */
export async function changeableOf(
  deps: PoolDeps,
  verb: ChangeVerb,
  guid: string,
): Promise<Subject & { reading: PoolReading | null }> {
  const subject = await subjectOf(deps, guid, ['ready', 'unmounted', 'error']);
  const { plugin, spec } = subject;
  const lack = lackOf(verb, plugin);
  if (lack) throw new AppError('not_supported', lack);
  const reading = await deps.plugins.status(plugin.id, spec);
  const why = refusalOf(verb, { plugin, spec, reading });
  if (why) throw new AppError('pool_wrong_state', why);
  return { ...subject, reading };
}

const nameOf = (drive: PoolDrive): string => drive.serial ?? drive.label;

/** @throws AppError not_a_member */
function memberOf(spec: PoolSpec, wanted: MemberChoice): PoolDrive {
  const found = spec.drives.filter(
    (drive) =>
      drive.slot === wanted.slot ||
      drive.id === wanted.id ||
      (wanted.serial !== undefined && drive.serial?.toLowerCase() === wanted.serial.toLowerCase()),
  );
  const [member] = found;
  if (member && found.length === 1) return member;
  const name = wanted.serial ?? wanted.id ?? `number ${String(wanted.slot)}`;
  throw issuesError([
    issue(
      'not_a_member',
      found.length > 1
        ? `Several members of the pool "${spec.label}" have the serial ${name}: name it by its slot.`
        : `The pool "${spec.label}" has no member ${name}.`,
      'member',
    ),
  ]);
}

/** Drives that may join, by the rules that hold for a new pool. @throws AppError with every issue at once */
async function newcomers(
  deps: PoolDeps,
  plugin: StoragePlugin,
  drives: PoolCreateRequest['drives'],
  single: boolean,
): Promise<Choice[]> {
  const request = { drives };
  const names = namedDrives(request, deps.drives.list()).flatMap((drive) => drive.kernelName ?? []);
  if (names.length > 0) await deps.drives.refresh(names);
  const { choices, issues } = chooseDrives(request, plugin, (name) => deps.drives.find(name), true);
  if (drives.length === 0) issues.push(issue('no_drives', 'No drive is chosen.', 'drives'));
  if (issues.length === 0) return choices;
  throw issuesError(
    single ? issues.map((one) => ({ ...one, ...(one.field ? { field: 'drive' } : {}) })) : issues,
  );
}

const joinAt = ({ drive, label }: Choice, slot: number, role: PoolDrive['role'] = 'data'): PoolDrive => ({
  id: drive.id,
  serial: drive.serial,
  label,
  sizeBytes: drive.sizeBytes,
  slot,
  contentHash: drive.contentHash,
  partitions: drive.partitions.map((partition) => partition.number),
  present: true,
  ...(role === 'data' ? {} : { role }),
});

const nextSlot = (spec: PoolSpec): number => Math.max(-1, ...spec.drives.map((drive) => drive.slot)) + 1;
const erasesOf = (choices: Choice[]): Prepared['erases'] =>
  choices.flatMap(({ drive }) => erasureOf(drive) ?? []);
const listOf = (drives: PoolDrive[]): string => drives.map(nameOf).join(', ');

function wanted<T>(method: T | undefined): T {
  if (!method) throw new AppError('bug', 'A change was planned that its plugin cannot do.');
  return method;
}

/** The plan of a pool that grows must not be larger than its layout. */
function refuseTooMany({ plugin, spec }: Subject, added: number): void {
  const layout = plugin.layouts.find((candidate) => candidate.id === spec.layout);
  const count = spec.drives.filter((drive) => (drive.role ?? 'data') === 'data').length + added;
  if (layout?.maxDrives && count > layout.maxDrives)
    throw issuesError([
      issue('too_many_drives', `${layout.title} takes at most ${layout.maxDrives} drives.`, 'drives'),
    ]);
}

export async function prepareExpand(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('expand', raw);
  const subject = await changeableOf(deps, 'expand', request.poolGroupGuid);
  const { plugin, spec } = subject;
  const choices = await newcomers(deps, plugin, request.drives, false);
  refuseTooMany(subject, choices.length);
  const added = choices.map((choice, index) => joinAt(choice, nextSlot(spec) + index));
  return preparedOf(subject, {
    title: `Expand pool "${spec.label}" by ${added.length === 1 ? `drive ${listOf(added)}` : `${added.length} drives`}`,
    steps: () => [
      ...mountAgain(deps, subject, added),
      ...wanted(plugin.expand).call(plugin, spec, { added }),
    ],
    erases: erasesOf(choices),
    members: { joins: added, leaves: [] },
    joining: choices.map(({ drive }) => drive),
  });
}

/** A drive that is gone or failing is not to be found among the free ones later. @returns why, a sentence; null: it is free */
function whyAside(
  deps: PoolDeps,
  { spec, reading }: { spec: PoolSpec; reading: PoolReading | null },
  old: PoolDrive,
  asked: boolean | undefined,
): string | null {
  const status = reading?.members.find((member) => member.driveId === old.id)?.status;
  const failing = deps.drives.find(old.id)?.health.status === 'failing';
  const bad = !old.present || failing || status === 'faulty';
  return (asked ?? bad) ? `it was replaced in the pool "${spec.label}".` : null;
}

export async function prepareReplace(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('replace', raw);
  const subject = await changeableOf(deps, 'replace', request.poolGroupGuid);
  const { plugin, spec } = subject;
  const old = memberOf(spec, request.member);
  const setAside = whyAside(deps, subject, old, request.setAside);
  const choices = await newcomers(deps, plugin, [request.drive], true);
  const [fresh] = choices.map((choice) => joinAt(choice, old.slot, old.role));
  if (!fresh) throw issuesError([issue('no_drives', 'No drive is chosen.', 'drive')]);
  const least = replacementBytes(plugin, spec, old);
  if (fresh.sizeBytes < least)
    throw issuesError([
      issue(
        'replacement_too_small',
        `Drive ${nameOf(fresh)} has ${formatBytes(fresh.sizeBytes)} (${fresh.sizeBytes} bytes); in the place of ${nameOf(old)} at least ${formatBytes(least)} (${least} bytes) are needed.`,
        'drive',
      ),
    ]);
  return preparedOf(subject, {
    title: `Replace drive ${nameOf(old)} of pool "${spec.label}" by ${nameOf(fresh)}`,
    steps: () => [
      ...mountAgain(deps, subject, [fresh]),
      ...wanted(plugin.replace).call(plugin, spec, { old, fresh }),
    ],
    erases: erasesOf(choices),
    members: { joins: [fresh], leaves: [old] },
    joining: choices.map(({ drive }) => drive),
    setAside,
    notes: [
      ...(setAside
        ? [`Drive ${nameOf(old)} is set aside: it is offered for no other pool until you release it.`]
        : []),
      old.present
        ? `Drive ${nameOf(old)} leaves the pool when its content is on ${nameOf(fresh)}; then it is erased.`
        : `Drive ${nameOf(old)} is not there: what is on it stays as it is. Do not put it back into this machine unless it is erased.`,
    ],
  });
}

/** What is on the drive has to fit on the others. */
function refuseTooFull({ plugin, spec }: Subject, leaving: PoolDrive, reading: PoolReading | null): void {
  if ((leaving.role ?? 'data') !== 'data' || reading?.usedBytes == null) return;
  const rest = spec.drives.filter((drive) => drive.id !== leaving.id && (drive.role ?? 'data') === 'data');
  const room = plugin.usableBytes({
    layout: spec.layout,
    options: spec.options,
    driveSizesBytes: rest.map((drive) => drive.sizeBytes),
  });
  if (reading.usedBytes < room) return;
  throw new AppError(
    'not_enough_space',
    `The pool "${spec.label}" holds ${formatBytes(reading.usedBytes)}; without drive ${nameOf(leaving)} it has room for ${formatBytes(room)}.`,
  );
}

export async function prepareRemoveDrive(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('remove-drive', raw);
  const subject = await changeableOf(deps, 'remove-drive', request.poolGroupGuid);
  const { plugin, spec, reading } = subject;
  const drive = memberOf(spec, request.member);
  const why = refusalOf('remove-drive', { plugin, spec, reading, member: drive });
  if (why) throw new AppError('pool_wrong_state', why);
  const layout = plugin.layouts.find((candidate) => candidate.id === spec.layout);
  const data = spec.drives.filter((one) => (one.role ?? 'data') === 'data').length;
  if (layout && (drive.role ?? 'data') === 'data' && data <= layout.minDrives)
    throw new AppError('pool_wrong_state', `${layout.title} needs at least ${layout.minDrives} drives.`, {
      remedy: 'Replace the drive instead.',
    });
  refuseTooFull(subject, drive, reading);
  return preparedOf(subject, {
    title: `Let drive ${nameOf(drive)} leave pool "${spec.label}"`,
    steps: () => [...mountAgain(deps, subject), ...wanted(plugin.removeDrive).call(plugin, spec, { drive })],
    members: { joins: [], leaves: [drive] },
    notes: [
      drive.present
        ? 'What is on the drive is moved to the others first; then it is erased.'
        : 'The drive is not there: what was on it is made again on the others.',
    ],
  });
}

export async function prepareAddDrive(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('add-drive', raw);
  const subject = await changeableOf(deps, 'add-drive', request.poolGroupGuid);
  const { plugin, spec } = subject;
  if (!plugin.roles?.includes(request.role))
    throw issuesError([
      issue(
        'invalid_input',
        `${plugin.name} pools take no ${request.role} drives; they take ${(plugin.roles ?? []).join(', ')}.`,
        'role',
      ),
    ]);
  const choices = await newcomers(deps, plugin, [request.drive], true);
  const joins = choices.map((choice) => joinAt(choice, nextSlot(spec), request.role));
  const [drive] = joins;
  if (!drive) throw issuesError([issue('no_drives', 'No drive is chosen.', 'drive')]);
  return preparedOf(subject, {
    title: `Add drive ${nameOf(drive)} as ${request.role} to pool "${spec.label}"`,
    steps: () => [
      ...mountAgain(deps, subject, [drive]),
      ...wanted(plugin.addDrive).call(plugin, spec, { drive }),
    ],
    erases: erasesOf(choices),
    members: { joins, leaves: [] },
    joining: choices.map((choice) => choice.drive),
  });
}

export async function prepareReAdd(deps: PoolDeps, raw: JsonObject): Promise<Prepared> {
  const request = parseChange('re-add', raw);
  const subject = await changeableOf(deps, 're-add', request.poolGroupGuid);
  const { plugin, spec } = subject;
  const drive = memberOf(spec, request.member);
  if (!drive.present)
    throw new AppError('drive_gone', `Drive ${nameOf(drive)} is not there.`, {
      remedy: 'Plug it in again, or replace it.',
    });
  return preparedOf(subject, {
    title: `Take drive ${nameOf(drive)} back into pool "${spec.label}"`,
    steps: () => [...mountAgain(deps, subject), ...wanted(plugin.reAdd).call(plugin, spec, { drive })],
  });
}
