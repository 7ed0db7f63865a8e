/** The plans of what is done to a machine that is there. */
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmRequest, vmStopRequest } from '$lib/shared/wire/vms';
import { AppError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared } from '../operations/types';
import { refuseMissingBridges } from './card-rules';
import type { VmDeps } from './deps';
import { poolOf } from './prepare-create';
import { memoryOf } from './saved-memory';
import { NO_POOL } from './store';
import { refuseTemplate } from './template';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

export async function prepareStart(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const plugin = deps.plugins.vm(record.plugin);
  const status = await statusNow(deps, record);
  if (!isOff(status)) throw wrongState(`"${record.name}" is ${status} already.`);
  refuseTemplate(record);
  if (record.spec.adopted && status === 'missing')
    throw new AppError('vm_adopted', `${plugin.name} does not know "${record.name}" any more.`, {
      remedy: 'Define it again where it was made, or give it up.',
    });
  const pool = record.poolGuid === NO_POOL ? null : poolOf(deps, record);
  await refuseMissingBridges(deps, record);
  const { availableBytes } = deps.hostSize();
  if (record.memoryBytes > availableBytes)
    throw new AppError(
      'memory_taken',
      `Only ${formatBytes(availableBytes)} of memory are free on the host now; "${record.name}" needs ${formatBytes(record.memoryBytes)}.`,
    );
  return prepared(plugin, record, {
    title: `Start ${record.name}`,
    steps: status === 'saved' ? memoryOf(plugin).restore(record.spec) : plugin.start(record.spec),
    locks: pool ? [usesLock(`pool:${pool.guid}`)] : [],
  });
}

export async function prepareStop(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, graceSeconds } = parse(vmStopRequest, request);
  const record = recordOf(deps.db, vmId);
  const plugin = deps.plugins.vm(record.plugin);
  const status = await statusNow(deps, record);
  if (status !== 'running' && status !== 'paused' && status !== 'stopping')
    throw wrongState(`"${record.name}" is off already.`);
  if (status === 'paused' && graceSeconds > 0)
    throw wrongState(
      `"${record.name}" is paused, and would not notice its power button.`,
      'Let it go on first, or switch it off at once.',
    );
  const fromMs = deps.clock.now();
  const time = graceSeconds === 0 ? null : { fromMs, untilMs: fromMs + graceSeconds * 1_000 };
  return prepared(plugin, record, {
    title: time === null ? `Switch off ${record.name}` : `Shut down ${record.name}`,
    steps: plugin.stop(record.spec, time),
    notes: [
      time === null
        ? 'What the guest has not written to its disk yet is lost, as when the power goes.'
        : `When it has not shut down after ${graceSeconds} s, it is switched off.`,
    ],
  });
}

export async function prepareReset(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.reset) throw wrongState(`The plugin ${plugin.name} cannot reset machines.`);
  if ((await statusNow(deps, record)) !== 'running') throw wrongState(`"${record.name}" does not run.`);
  return prepared(plugin, record, {
    title: `Reset ${record.name}`,
    steps: plugin.reset(record.spec),
    notes: ['What the guest has not written to its disk yet is lost, as when the power goes.'],
  });
}

export async function preparePause(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.pause || !plugin.resume) throw wrongState(`The plugin ${plugin.name} cannot pause machines.`);
  const status = await statusNow(deps, record);
  if (status === 'paused') throw wrongState(`"${record.name}" is paused already.`);
  if (status !== 'running') throw wrongState(`"${record.name}" does not run.`);
  return prepared(plugin, record, {
    title: `Pause ${record.name}`,
    steps: plugin.pause(record.spec),
    notes: ['It keeps its memory, and its clock stands still.'],
  });
}

export async function prepareResume(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.resume) throw wrongState(`The plugin ${plugin.name} cannot let machines go on.`);
  if ((await statusNow(deps, record)) !== 'paused') throw wrongState(`"${record.name}" is not paused.`);
  return prepared(plugin, record, { title: `Resume ${record.name}`, steps: plugin.resume(record.spec) });
}
