/** CPUs and memory of a machine that is off; admitted as a new machine is. */
import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmResizeRequest } from '$lib/shared/wire/vms';
import { issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { sizeIssues } from './check-request';
import type { VmDeps } from './deps';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

export const resizeInput = z.object({ vmId: z.string(), cpus: z.number(), memoryBytes: z.number() });

export async function prepareResize(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, cpus, memoryBytes } = parse(vmResizeRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const host = deps.hostSize();
  // What it has already it may keep, however little is free now: its start asks again.
  const availableBytes = Math.max(host.availableBytes, record.memoryBytes);
  const issues = sizeIssues({ cpus, memoryBytes }, { ...host, availableBytes });
  if (issues.length > 0) throw issuesError(issues);
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.resize) throw wrongState(`The plugin ${plugin.name} cannot resize machines.`);
  const status = await statusNow(deps, record);
  if (status === 'missing')
    throw wrongState(
      `${plugin.name} does not know "${name}" any more.`,
      'Start it once: that makes it known again.',
    );
  if (status === 'saved')
    throw wrongState(
      `"${name}" goes on with its saved memory, of the size that it has.`,
      'Start it and shut it down, or discard its saved memory first.',
    );
  if (status !== 'stopped' && status !== 'crashed')
    throw wrongState(`"${name}" is ${status}.`, 'Shut it down first.');
  const facts = await deps.plugins.vmSizeFacts(plugin.id, spec);
  const steps = plugin.resize.plan(spec, { cpus, memoryBytes }, facts);
  if (steps.length === 0 && cpus === record.cpus && memoryBytes === record.memoryBytes)
    throw wrongState(`"${name}" has these CPUs and this memory already.`);
  return prepared(plugin, record, {
    title: `Give ${name} ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'} and ${formatBytes(memoryBytes)} of memory`,
    steps,
    more: { cpus, memoryBytes },
  });
}
