/** A machine that is switched off with its memory kept, and what becomes of that. */
import type { VmPlugin } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { formatBytes } from '$lib/shared/units';
import { vmRequest } from '$lib/shared/wire/vms';
import { AppError } from '../errors';
import type { Prepared } from '../operations/types';
import type { VmDeps } from './deps';
import { parse, prepared, recordOf, statusNow, wrongState } from './verb';

/** Left free on the disk that the memory is written to. */
const RESERVE_BYTES = 256 * 1024 ** 2;

export function memoryOf(plugin: VmPlugin): NonNullable<VmPlugin['memory']> {
  if (plugin.memory) return plugin.memory;
  throw wrongState(`The plugin ${plugin.name} cannot save the memory of machines.`);
}

export async function prepareSave(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const { name, spec, memoryBytes } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const memory = memoryOf(plugin);
  const status = await statusNow(deps, record);
  if (status === 'saved') throw wrongState(`"${name}" is saved already.`);
  if (status !== 'running' && status !== 'paused') throw wrongState(`"${name}" does not run.`);
  const { availableBytes } = await deps.host.usage(memory.folder);
  if (memoryBytes + RESERVE_BYTES > availableBytes)
    throw new AppError(
      'vm_save_no_room',
      `The memory of "${name}" is ${formatBytes(memoryBytes)}; ${memory.folder} has ${formatBytes(availableBytes)} free, of which ${formatBytes(RESERVE_BYTES)} stay free.`,
    );
  return prepared(plugin, record, {
    title: `Save ${name}`,
    steps: memory.save(spec),
    notes: ['Its memory is written to disk, and it goes on from there when it is started.'],
  });
}

export async function prepareDiscard(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const record = recordOf(deps.db, parse(vmRequest, request).vmId);
  const plugin = deps.plugins.vm(record.plugin);
  const memory = memoryOf(plugin);
  if ((await statusNow(deps, record)) !== 'saved') throw wrongState(`"${record.name}" has no saved memory.`);
  return prepared(plugin, record, {
    title: `Discard the memory of ${record.name}`,
    steps: memory.discard(record.spec),
    notes: ['What the guest has not written to its disk yet is lost, as when the power goes.'],
  });
}
