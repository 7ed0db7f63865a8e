/** What every verb on a machine that is there begins with. */
import { z } from 'zod';
import type { Step } from '$lib/plugin-api/plan';
import type { VmPlugin, VmStatus } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { requestIssues } from '$lib/shared/wire/requests';
import type { Db, Transaction } from '../db/client';
import { AppError, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { checkVmPlan } from '../plugins/plan-check';
import type { VmDeps } from './deps';
import { vmLock } from './kinds';
import { findVm, type VmRecord } from './store';

export const verbInput = z.object({ vmId: z.string() });

export function parse<T>(schema: z.ZodType<T>, request: JsonObject): T {
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  return parsed.data;
}

export function recordOf(db: Db | Transaction, id: string): VmRecord {
  const record = findVm(db, id);
  if (!record) throw new AppError('vm_not_found', `There is no machine ${id}.`);
  return record;
}

export const wrongState = (message: string, remedy?: string): AppError =>
  new AppError('vm_wrong_state', message, remedy === undefined ? {} : { remedy });

/** No process of it runs. */
export const isOff = (status: VmStatus | 'missing'): boolean =>
  status === 'stopped' || status === 'saved' || status === 'crashed' || status === 'missing';

/** As its engine says right now, not as it was read last. */
export async function statusNow(deps: VmDeps, { plugin, id, name }: VmRecord) {
  await deps.readings.refresh(plugin);
  const status = deps.readings.of(plugin, id);
  if (status === 'unknown')
    throw new AppError(
      'plugin_unavailable',
      `Whether "${name}" is on cannot be told: ${deps.readings.reason(plugin) ?? ''}`,
    );
  return status;
}

export function prepared(
  plugin: VmPlugin,
  record: VmRecord,
  plan: {
    title: string;
    steps: Step[];
    notes?: string[];
    locks?: string[];
    more?: JsonObject;
    /** Lost for good: it has to be confirmed, by the name of what is lost; without one, by that of the machine. */
    loses?: string[];
    confirmText?: string;
    /** See Prepared. */
    confirmSteps?: Step[];
  },
): Prepared {
  return {
    input: { vmId: record.id, ...plan.more },
    title: plan.title,
    subject: { type: 'vm', id: record.id, label: record.name },
    steps: checkVmPlan(plugin, record.spec, plan.steps),
    locks: [vmLock(record.id), ...(plan.locks ?? [])],
    drives: [],
    erases: [],
    ...(plan.loses && plan.loses.length > 0
      ? { loses: plan.loses, confirmText: plan.confirmText ?? record.name }
      : { confirmText: null }),
    ...(plan.confirmSteps ? { confirmSteps: plan.confirmSteps } : {}),
    notes: plan.notes ?? [],
  };
}
