/** The processor that a guest is told it has: what was asked for, and what this host can give. */
import type { VmPlugin } from '$lib/plugin-api/vm';
import type { Issue } from '$lib/shared/error-codes';
import { issue } from '../errors';
import type { VmDeps } from './deps';

/** @throws AppError as plugins.vmFirmware */
export async function cpuModelIssues(
  { plugins }: Pick<VmDeps, 'plugins'>,
  plugin: VmPlugin,
  model: string | null | undefined,
): Promise<Issue[]> {
  if (model === null || model === undefined) return [];
  const offers = await plugins.vmFirmware(plugin.id);
  return offers?.cpuModels.includes(model)
    ? []
    : [issue('cpu_model_unknown', `This host has no processor "${model}" for its machines.`, 'cpuModel')];
}
