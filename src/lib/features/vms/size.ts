/** What is wrong with the size that a machine is to have, in the words of a form; null: nothing. */
import { formatBytes } from '$lib/shared/units';
import { topologyIssues } from '$lib/shared/vm-rules';
import type { VmHost } from '$lib/shared/wire/vm-host';
import type { VmTopologyView } from '$lib/shared/wire/vms';

export const MIB = 1024 ** 2;

export function cpuProblem(text: string, host: VmHost | null | undefined): string | null {
  const cpus = Number(text);
  const most = host?.cpus ?? Infinity;
  if (!Number.isInteger(cpus) || cpus < 1) return 'A machine needs one CPU at least.';
  return cpus > most ? `This host has ${most} CPUs.` : null;
}

/** Nobody can tell before the host was asked. */
export const cpuModelProblem = (model: string, host: VmHost | null | undefined): string | null =>
  model === '' || !host || host.cpuModels.length === 0 || host.cpuModels.includes(model)
    ? null
    : `This host has no processor "${model}" for its machines.`;

/** @param hasBytes what the machine has already, and may keep */
export function memoryProblem(textMib: string, host: VmHost | null | undefined, hasBytes = 0): string | null {
  const bytes = Number(textMib) * MIB;
  const free = Math.max(host?.freeMemoryBytes ?? Infinity, hasBytes);
  if (!Number.isInteger(bytes) || bytes < 16 * MIB) return 'A machine needs 16 MiB at least.';
  return bytes > free ? `${formatBytes(free)} can still be given to machines.` : null;
}

/** As it is typed; null: each CPU is a socket of its own. */
export type TopologyText = Record<keyof VmTopologyView, string> | null;
export const topologyOf = (text: TopologyText): VmTopologyView | null =>
  text && { sockets: Number(text.sockets), cores: Number(text.cores), threads: Number(text.threads) };
export const textOf = (topology: VmTopologyView | null): TopologyText =>
  topology && {
    sockets: String(topology.sockets),
    cores: String(topology.cores),
    threads: String(topology.threads),
  };
export const topologyProblem = (cpus: string, text: TopologyText): string | null =>
  topologyIssues(Number(cpus), topologyOf(text))[0]?.message ?? null;
