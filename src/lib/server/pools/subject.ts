/** A pool that a request is about: found, with its drives as they are now, and the frame of every plan for it. */
import type { Action } from '$lib/plugin-api/plan';
import type { PoolDrive, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { PoolState } from '$lib/shared/states';
import type { Drive } from '$lib/shared/wire/drives';
import { expectationOf } from '../drives/erasure';
import { AppError } from '../errors';
import type { Prepared } from '../operations/types';
import { checkPlan } from '../plugins/plan-check';
import { pluginError } from '../plugins/plugin-error';
import type { PoolDeps } from './deps';
import { locksOf, specOf, toInput, type PoolInput } from './spec';
import { findPool, type PoolRecord } from './store';

/** Which drives come and go with a change: the record follows in the transaction that ends the operation. */
export interface MemberChange {
  joins: PoolDrive[];
  leaves: PoolDrive[];
}

export interface ChangeInput extends PoolInput {
  /** Where the record goes back to when the change is taken back. */
  previousState: PoolState;
  newLabel?: string;
  members?: MemberChange;
  /** Why the drives that leave are not to be offered for another pool. */
  setAside?: string;
}
export interface Subject {
  record: PoolRecord;
  spec: PoolSpec;
  plugin: StoragePlugin;
  /** Those that are there. */
  drives: Drive[];
}

function poolRecord(deps: Pick<PoolDeps, 'db'>, guid: string): PoolRecord {
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
export async function subjectOf(deps: PoolDeps, guid: string, allowed: PoolState[]): Promise<Subject> {
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
  members?: MemberChange;
  setAside?: string | null;
  /** The drives that join, as they are now. */
  joining?: Drive[];
  /** Steps of the core around those of the plugin, which have been checked by then. */
  around?: (steps: Prepared['steps']) => Prepared['steps'];
}

/** The same mount, and every device that the other one names. Other actions stay as they are: they find members themselves. */
const withDevicesOf = (run: Action, other: Action | undefined): Action =>
  run.do === 'mount' && run.devices && other?.do === 'mount' && other.devices
    ? { ...run, devices: other.devices }
    : run;

/**
 * For a change that works in the mounted pool: what a reboot undoes of its mount, so that it is mounted again before the
 * change goes on. Without a reboot these steps find that there is nothing to do.
 * @param joining drives that are members once the change has begun: without udev nobody but the mount tells the kernel of
 *   them. Those that carry no part of the filesystem by then are left out when it is mounted.
 */
export function mountAgain(
  deps: Pick<PoolDeps, 'host'>,
  { plugin, spec }: Subject,
  joining: PoolDrive[] = [],
): Prepared['steps'] {
  if (!plugin.mount || !isMounted(deps, spec)) return [];
  const larger = plugin.mount({ ...spec, drives: [...spec.drives, ...joining] });
  const named = (name: string) => larger.find((step) => step.name === name)?.run;
  return plugin
    .mount(spec)
    .filter(({ look }) => look.untilReboot)
    .map((step) => ({
      ...step,
      run: withDevicesOf(step.run, named(step.name)),
      name: `again-${step.name}`,
      title: `After a reboot only: ${step.title.charAt(0).toLowerCase()}${step.title.slice(1)}`,
      undo: 'nothing',
    }));
}

export function preparedOf({ record, spec, plugin, drives }: Subject, plan: Plan): Prepared {
  const joins = plan.members?.joins ?? [];
  const involved = { ...spec, drives: [...spec.drives, ...joins] };
  let steps: Prepared['steps'];
  try {
    steps = checkPlan(plugin, involved, plan.steps());
    if (plan.around) steps = plan.around(steps);
  } catch (error) {
    throw pluginError(plugin.id, error);
  }
  const input: ChangeInput = {
    ...spec,
    plugin: plugin.id,
    previousState: record.state,
    ...(plan.newLabel === undefined ? {} : { newLabel: plan.newLabel }),
    ...(plan.members ? { members: plan.members } : {}),
    ...(plan.setAside ? { setAside: plan.setAside } : {}),
  };
  const erases = plan.erases ?? [];
  return {
    input: toInput(input),
    title: plan.title,
    subject: { type: 'pool', id: spec.guid, label: spec.label },
    steps,
    locks: [...locksOf(involved), ...(plan.locks ?? [])],
    drives: [...drives, ...(plan.joining ?? [])].map(expectationOf),
    erases,
    confirmText: erases.length > 0 ? spec.label : null,
    notes: plan.notes ?? [],
  };
}

export const isMounted = (deps: Pick<PoolDeps, 'host'>, spec: PoolSpec): boolean =>
  deps.host.mounts().some((mount) => mount.path === spec.mountPath);

/** A pool that programs use cannot be unmounted: better said before than after. */
export async function refuseWhileUsed(deps: PoolDeps, spec: PoolSpec): Promise<void> {
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
