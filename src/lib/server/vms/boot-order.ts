/** What a machine looks for a system in, and in which order; from its next start on. */
import { z } from 'zod';
import { bootDevicesOf, bootOrderOf } from '$lib/plugin-api/vm-boot';
import type { VmSpec } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { bootOrderIssues } from '$lib/shared/vm-rules';
import { vmBootRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import type { Prepared, RecordOwner } from '../operations/types';
import type { VmDeps } from './deps';
import { refuseBetween, refuseUnknown } from './hardware-rules';
import { tell, verbRecord } from './records';
import { changeVm, findVm } from './store';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

export async function prepareBootOrder(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, order } = parse(vmBootRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const issues = bootOrderIssues(order, bootDevicesOf(spec));
  if (issues.length > 0) throw issuesError(issues);
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.boot)
    throw new AppError('not_supported', `The plugin ${plugin.name} cannot change what machines start from.`);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  const facts = await deps.plugins.vmBootFacts(plugin.id, spec);
  const why = plugin.boot.why(spec, order, facts);
  if (why !== null)
    throw new AppError('not_supported', `What "${name}" starts from cannot be changed. ${why}`);
  const steps = plugin.boot.plan(spec, order, facts);
  if (steps.length === 0 && order.join() === bootOrderOf(spec).join())
    throw wrongState(`"${name}" starts from these in this order already.`);
  return prepared(plugin, record, {
    title: `Change what ${name} starts from`,
    steps,
    notes: [
      `It looks for a system in ${order.join(', then ')}.`,
      ...(isOff(status) ? [] : ['It counts from its next start on, not from a restart of its system.']),
    ],
    more: { order },
  });
}

/** The usual order is not written down, as with a machine that was never given another one. */
export function withBootOrder({ boot: _, ...spec }: VmSpec, order: string[]): VmSpec {
  return order.join() === bootOrderOf(spec).join() ? spec : { ...spec, boot: order };
}

const changeInput = z.object({ order: z.array(z.string()) });

export const bootRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  succeed(tx, _operationId, { input, subject: { id } }) {
    const record = findVm(tx, id);
    if (record) changeVm(tx, id, { spec: withBootOrder(record.spec, changeInput.parse(input).order) });
    tell(deps, id);
  },
});
