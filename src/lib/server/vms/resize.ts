/** CPUs and memory of a machine that is off; admitted as a new machine is. */
import { z } from 'zod';
import type { VmSpec } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { topologyIssues, topologyText } from '$lib/shared/vm-rules';
import { vmResizeRequest, vmTopology } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import type { Prepared } from '../operations/types';
import { sizeIssues } from './check-request';
import type { VmDeps } from './deps';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

export const resizeInput = z.object({
  ...{ vmId: z.string(), cpus: z.number(), memoryBytes: z.number() },
  topology: vmTopology.nullable().optional(),
});

/** The machine with these CPUs and this memory. */
export function withShape({ topology: had, ...spec }: VmSpec, shape: z.infer<typeof resizeInput>): VmSpec {
  const { cpus, memoryBytes, topology = had } = shape;
  return { ...spec, cpus, memoryBytes, ...(topology ? { topology } : {}) };
}

export async function prepareResize(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, cpus, memoryBytes, ...asked } = parse(vmResizeRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const topology = asked.topology === undefined ? (spec.topology ?? null) : asked.topology;
  const host = deps.hostSize();
  // What it has already it may keep, however little is free now: its start asks again.
  const availableBytes = Math.max(host.availableBytes, record.memoryBytes);
  const issues = [
    ...sizeIssues({ cpus, memoryBytes }, { ...host, availableBytes }),
    ...topologyIssues(cpus, topology),
  ];
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
  const why = plugin.resize.topologyWhy
    ? plugin.resize.topologyWhy(facts)
    : `The plugin ${plugin.name} does not arrange CPUs.`;
  if (why !== null && (topology ?? spec.topology))
    throw new AppError('not_supported', `The CPUs of "${name}" cannot be arranged. ${why}`);
  const steps = plugin.resize.plan(spec, { cpus, memoryBytes, topology }, facts);
  const isSame =
    JSON.stringify(withShape(spec, { vmId, cpus, memoryBytes, topology })) === JSON.stringify(spec);
  if (steps.length === 0 && isSame) throw wrongState(`"${name}" has these CPUs and this memory already.`);
  return prepared(plugin, record, {
    title: `Give ${name} ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'} and ${formatBytes(memoryBytes)} of memory`,
    steps,
    notes: topology ? [`Its CPUs are ${topologyText(topology)}.`] : [],
    more: { cpus, memoryBytes, topology: topology && { ...topology } },
  });
}
