/**
 * What a machine has besides its size, its disks and its cards. Whatever makes one from what is known of it elsewhere (a request,
 * the machine that is cloned, a copy of the configuration, the engine's own definition) takes all of it from here: what is forgotten
 * in one of them is a machine that its system does not start on.
 */
import type { VmSpec } from '$lib/plugin-api/vm';
import type { VmDevices } from '$lib/shared/vm-devices';

interface Described {
  topology?: VmSpec['topology'] | null | undefined;
  devices?: VmDevices | undefined;
  cpuModel?: string | null | undefined;
}

export const shapeOf = ({
  topology,
  devices,
  cpuModel,
}: Described): Pick<VmSpec, 'topology' | 'devices' | 'cpuModel'> => ({
  ...(topology ? { topology } : {}),
  ...(devices === 'common' ? { devices } : {}),
  ...(cpuModel ? { cpuModel } : {}),
});
