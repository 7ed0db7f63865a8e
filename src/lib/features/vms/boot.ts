/** What a machine looks for a system in, as people see and move it. */
import { formatBytes } from '$lib/shared/units';
import type { Vm } from '$lib/shared/wire/vms';

export interface BootDevice {
  /** As the server knows it: `disk-1`. */
  key: string;
  name: string;
  /** What tells it from others like it. */
  text: string;
}

const devicesOf = (vm: Vm): BootDevice[] => [
  ...vm.disks.map(({ slot, sizeBytes }) => ({
    ...{ key: `disk-${slot}`, name: `Disk ${slot}`, text: formatBytes(sizeBytes) },
  })),
  { key: 'cd', name: 'CD drive', text: vm.cd?.name ?? 'empty' },
  ...vm.cards.map(({ slot, mac }) => ({ key: `card-${slot}`, name: `Network card ${slot}`, text: mac })),
];

/** Those that it is started from, in order, and those that it is not. */
export function bootOf(vm: Vm): { order: BootDevice[]; others: BootDevice[] } {
  const all = devicesOf(vm);
  return {
    order: vm.bootOrder.flatMap((key) => all.find((device) => device.key === key) ?? []),
    others: all.filter(({ key }) => !vm.bootOrder.includes(key)),
  };
}

/** @param by -1: earlier, 1: later; at an end it stays */
export function moved<T>(list: T[], index: number, by: -1 | 1): T[] {
  const at = index + by;
  if (at < 0 || at >= list.length) return list;
  return list.map((one, place) =>
    place === index ? (list[at] as T) : place === at ? (list[index] as T) : one,
  );
}
