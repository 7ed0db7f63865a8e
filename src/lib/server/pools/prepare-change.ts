/** From a request about a pool that is there to its plan. Nothing is changed. */
import type { PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { JsonObject } from '$lib/shared/json';
import { labelIssues, labelKey } from '$lib/shared/names';
import type { PoolState } from '$lib/shared/states';
import type { Drive } from '$lib/shared/wire/drives';
import { poolRenameRequest, poolRequest, requestIssues } from '$lib/shared/wire/requests';
import { erasureOf, expectationOf } from '../drives/erasure';
import { AppError, issue, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { checkPlan } from '../plugins/plan-check';
import { pluginError } from '../plugins/registry';
import type { PoolDeps } from './deps';
import { locksOf, specOf, toInput, type PoolInput } from './spec';
import { findByLabel, findPool, type PoolRecord } from './store';

export interface ChangeInput extends PoolInput {
  /** Where the record goes back to when the change is taken back. */
  previousState: PoolState;
  newLabel?: string;
}
interface Subject {
  record: PoolRecord;
  spec: PoolSpec;
  plugin: StoragePlugin;
  /** Those that are there. */
  drives: Drive[];
}

export function poolRecord(deps: Pick<PoolDeps, 'db'>, guid: string): PoolRecord {
  const record = findPool(deps.db, guid);
  if (!record) throw new AppError('pool_not_found', `There is no pool with the GUID ${guid}.`);
  return record;
}

function wrongState(record: PoolRecord, remedy: string): AppError {
  return new AppError('pool_wrong_state', `The pool "${record.label}" is ${record.state} now.`, {
    details: { state: record.state },
    remedy,
  });
}

/** The pool with its drives as they are now. */
async function subjectOf(deps: PoolDeps, guid: string, allowed: PoolState[]): Promise<Subject> {
  const record = poolRecord(deps, guid);
  if (!allowed.includes(record.state))
    throw wrongState(
      record,
      record.state === 'creating' || record.state === 'deleting'
        ? 'Wait for its operation, or cancel that.'
        : `It has to be ${allowed.join(' or ')}.`,
    );
  const plugin = deps.plugins.storage(record.plugin);
  const names = record.drives.flatMap((row) => deps.drives.find(row.driveId)?.kernelName ?? []);
  if (names.length > 0) await deps.drives.refresh(names);
  const presentOf = (id: string): Drive | null => {
    const drive = deps.drives.find(id);
    return drive?.present ? drive : null;
  };
  const drives = record.drives.flatMap((row) => presentOf(row.driveId) ?? []);
  return { record, spec: specOf(record, presentOf), plugin, drives };
}

interface Plan {
  title: string;
  steps: () => Prepared['steps'];
  erases?: Prepared['erases'];
  locks?: string[];
  notes?: string[];
  newLabel?: string;
}

function preparedOf({ record, spec, plugin, drives }: Subject, plan: Plan): Prepared {
  let steps: Prepared['steps'];
  try {
    steps = checkPlan(plugin, spec, plan.steps());
  } catch (error) {
    throw pluginError(plugin.id, error);
  }
  const input: ChangeInput = {
    ...spec,
    plugin: plugin.id,
    previousState: record.state,
    ...(plan.newLabel === undefined ? {} : { newLabel: plan.newLabel }),
  };
  const erases = plan.erases ?? [];
  return {
    input: toInput(input),
    title: plan.title,
    subject: { type: 'pool', id: spec.guid, label: spec.label },
    steps,
    locks: [...locksOf(spec), ...(plan.locks ?? [])],
    drives: drives.map(expectationOf),
    erases,
    confirmText: erases.length > 0 ? spec.label : null,
    notes: plan.notes ?? [],
  };
}

const guidOf = (request: JsonObject): string => {
  const parsed = poolRequest.safeParse(request);
  if (parsed.success) return parsed.data.poolGroupGuid;
  throw issuesError(requestIssues(parsed.error));
};

const isMounted = (deps: PoolDeps, spec: PoolSpec): boolean =>
  deps.host.mounts().some((mount) => mount.path === spec.mountPath);

/** A pool that programs use cannot be unmounted: better said before than after. */
async function refuseWhileUsed(deps: PoolDeps, spec: PoolSpec): Promise<void> {
  if (!isMounted(deps, spec)) return;
  const users = await deps.host.processesUsing(spec.mountPath);
  if (users.length === 0) return;
  const names = users.slice(0, 5).map((user) => `${user.command} (process ${user.pid})`);
  const more = users.length > 5 ? ` and ${users.length - 5} more` : '';
  throw new AppError(
    'pool_in_use',
    `Files of the pool "${spec.label}" are in use by ${names.join(', ')}${more}.`,
    {
      details: { processes: users.map(({ pid, command, user, path }) => ({ pid, command, user, path })) },
    },
  );
}

const missingNote = (spec: PoolSpec): string[] => {
  const gone = spec.drives.filter((drive) => !drive.present);
  return gone.length === 0
    ? []
    : [`Not there, so not erased: ${gone.map((drive) => drive.serial ?? drive.label).join(', ')}.`];
};

export async function prepareRemove(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin, drives } = subject;
  await refuseWhileUsed(deps, spec);
  return preparedOf(subject, {
    title: `Remove pool "${spec.label}"`,
    steps: () => plugin.destroy(spec),
    erases: drives.flatMap((drive) => erasureOf(drive) ?? []),
    notes: missingNote(spec),
  });
}

/** More drives missing than the layout survives: then there is nothing that could be mounted. */
function refuseWhenIncomplete({ spec, plugin }: Subject): string[] {
  const gone = spec.drives.filter((drive) => !drive.present);
  if (gone.length === 0) return [];
  const names = gone.map((drive) => drive.serial ?? drive.label).join(', ');
  const layout = plugin.layouts.find((candidate) => candidate.id === spec.layout);
  if (gone.length > (layout?.tolerance(spec.drives.length) ?? 0))
    throw new AppError('drive_gone', `The pool "${spec.label}" cannot be mounted without drive ${names}.`, {
      details: { drives: gone.map((drive) => drive.id) },
      remedy: 'Plug it in again, then mount the pool.',
    });
  return [`Mounted degraded, without drive ${names}: one more loss would lose data.`];
}

export async function prepareMount(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin } = subject;
  const { mount } = plugin;
  if (!mount) throw new AppError('not_supported', `${plugin.name} pools cannot be mounted by themselves.`);
  return preparedOf(subject, {
    title: `Mount pool "${spec.label}"`,
    notes: refuseWhenIncomplete(subject),
    steps: () => mount.call(plugin, spec),
  });
}

export async function prepareUnmount(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const subject = await subjectOf(deps, guidOf(request), ['ready', 'unmounted', 'error']);
  const { spec, plugin } = subject;
  const { unmount } = plugin;
  if (!unmount) throw new AppError('not_supported', `${plugin.name} pools cannot be unmounted.`);
  await refuseWhileUsed(deps, spec);
  return preparedOf(subject, {
    title: `Unmount pool "${spec.label}"`,
    steps: () => unmount.call(plugin, spec),
  });
}

/** The label that is being given away and the new one are both held: no other rename may take them meanwhile. */
export const labelLock = (label: string): string => `label:${labelKey(label)}`;

export async function prepareRename(deps: PoolDeps, request: JsonObject): Promise<Prepared> {
  const parsed = poolRenameRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const newLabel = parsed.data.label.normalize('NFC');
  const subject = await subjectOf(deps, parsed.data.poolGroupGuid, ['ready']);
  const { spec, plugin } = subject;
  const { rename } = plugin;
  if (!rename) throw new AppError('not_supported', `${plugin.name} pools cannot be renamed.`);
  const other = findByLabel(deps.db, newLabel);
  const issues = labelIssues(newLabel);
  if (issues.length === 0 && other && other.guid !== spec.guid)
    issues.push(issue('label_duplicate', `Another pool is called "${other.label}".`, 'label'));
  if (issues.length > 0) throw issuesError(issues);
  if (!isMounted(deps, spec))
    throw new AppError('pool_wrong_state', `The pool "${spec.label}" is not mounted.`, {
      remedy: 'Mount it first: the new label is also written into it.',
    });
  return preparedOf(subject, {
    title: `Rename pool "${spec.label}" to "${newLabel}"`,
    steps: () => rename.call(plugin, spec, newLabel),
    locks: [...new Set([labelLock(spec.label), labelLock(newLabel)])],
    newLabel,
  });
}
