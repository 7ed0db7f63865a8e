/** Texts about machines that more than one place shows. */
import { naturally } from '$lib/shared/natural-order';
import type { FirmwareKind } from '$lib/shared/firmware-kinds';
import type { VmDevices } from '$lib/shared/vm-devices';
import { formatBytes } from '$lib/shared/units';
import type { Vm, VmState } from '$lib/shared/wire/vms';
import { plural } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const stateWord: Record<VmState, string> = {
  creating: 'Creating',
  'failed-to-start': 'Failed to start',
  removing: 'Removing',
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Shutting down',
  stopped: 'Off',
  saving: 'Saving',
  saved: 'Saved',
  crashed: 'Crashed',
  missing: 'Missing',
  unknown: 'Unknown',
};
export const stateTone: Record<VmState, Tone> = {
  creating: 'accent',
  'failed-to-start': 'bad',
  removing: 'accent',
  starting: 'accent',
  running: 'good',
  paused: 'warn',
  stopping: 'accent',
  stopped: 'quiet',
  saving: 'accent',
  saved: 'quiet',
  crashed: 'bad',
  missing: 'warn',
  unknown: 'warn',
};

/** Its guest is there, and notices what is plugged in. */
export const isOn = ({ state }: Vm): boolean => state === 'running' || state === 'paused';

/** There is something that can be said about it: it was made, and it stays. */
export const hasSettings = ({ state }: Vm): boolean =>
  !['creating', 'failed-to-start', 'removing'].includes(state);

/** @example "2 CPUs · 1 GiB · disk 10 GiB" */
export const hardwareText = (vm: Pick<Vm, 'cpus' | 'memoryBytes' | 'diskBytes'>): string =>
  [plural(vm.cpus, 'CPU'), formatBytes(vm.memoryBytes), `disk ${formatBytes(vm.diskBytes)}`].join(' · ');

/** Where it comes from, as far as anybody knows. */
export const originText = ({ adopted, image }: Pick<Vm, 'adopted' | 'image'>): string | null =>
  adopted ? 'adopted' : image.name === '' ? null : `from ${image.name}`;

/** Natural order: web-9 before web-10. */
export const byName = (a: Vm, b: Vm): number => naturally(a.name, b.name);

/** What becomes of it when the host starts. */
export function autostartText({ autostart: { on, order, delaySeconds, error } }: Vm): string {
  if (!on) return 'It stays off until somebody starts it.';
  const wait = delaySeconds > 0 ? `, and the next one ${delaySeconds} s after it` : '';
  const text = `It starts by itself once its pool is there, with order ${order}${wait}.`;
  return error === null ? text : `${text} The last time it could not: ${error}`;
}

/** What becomes of it when the host goes down, and at the start after that. */
export function hostStopText({ autostart, hostStop: { seconds, otherwise, startsAgain } }: Vm): string {
  const then = otherwise === 'save' ? 'then its memory is saved' : 'then it is switched off';
  const again = startsAgain && !autostart.on ? ' It starts again with the host, if it ran.' : '';
  return `It has ${seconds} s to shut down; ${then}.${again}`;
}

export const FIRMWARE_TITLES: Record<FirmwareKind, string> = {
  ...{ bios: 'BIOS', uefi: 'UEFI', 'uefi-secure': 'UEFI with secure boot' },
};
export const DEVICE_TITLES: Record<VmDevices, string> = {
  ...{ virtio: 'Fast ones (virtio)', common: 'SATA disks and Intel network cards' },
};
/** `UEFI with secure boot, TPM 2.0` */
export const firmwareText = ({ firmware, tpm }: Pick<Vm, 'firmware' | 'tpm'>): string =>
  `${FIRMWARE_TITLES[firmware]}${tpm ? ', TPM 2.0' : ''}`;
