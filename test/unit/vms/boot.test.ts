import { describe, expect, it } from 'vitest';
import { bootOf, moved } from '$lib/features/vms/boot';
import type { VmSpec } from '$lib/plugin-api/vm';
import { bootOrderOf } from '$lib/plugin-api/vm-boot';
import { withoutDisk } from '$lib/server/vms/disks';
import { bootOrderIssues } from '$lib/shared/vm-rules';
import type { Vm } from '$lib/shared/wire/vms';

const disk = { slot: 2, path: '/m/web/disk-2.qcow2', sizeBytes: 1024 ** 3 };
const spec = {
  ...{ id: 'x', name: 'web', diskPath: '/m/web/disk.qcow2', diskBytes: 1024 ** 3 },
  moreDisks: [disk],
} as unknown as VmSpec;

describe('what a machine is started from', () => {
  it('is its first disk and then the CD, until somebody says otherwise', () => {
    expect(bootOrderOf(spec)).toEqual(['disk-1', 'cd']);
    expect(bootOrderOf({ ...spec, boot: ['card-1', 'disk-2', 'disk-7'] })).toEqual(['card-1', 'disk-2']);
    expect(bootOrderOf({ ...spec, cards: [], boot: ['card-1', 'cd'] })).toEqual(['cd']);
  });
  it('is not a disk that has only the slot of one that went', () => {
    const less = withoutDisk({ ...spec, boot: ['disk-2', 'disk-1'] }, 2);
    expect(bootOrderOf({ ...less, moreDisks: [disk] })).toEqual(['disk-1']);
  });
  it('is refused by name: nothing, something that it does not have, something twice', () => {
    const codes = (...order: string[]) => bootOrderIssues(order, ['disk-1', 'cd']).map(({ code }) => code);
    expect(codes('cd', 'disk-1')).toEqual([]);
    expect(codes()).toEqual(['boot_order_empty']);
    expect(codes('disk-2', 'cd', 'cd')).toEqual(['boot_device_unknown', 'boot_device_twice']);
  });
  it('is moved earlier and later, and stays at the ends', () => {
    expect(moved(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c']);
    expect(moved(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b']);
    expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  });
  it('is shown in its order, and beside it what it is not started from', () => {
    const vm = {
      ...{ disks: [{ slot: 1, sizeBytes: 1024 ** 3 }], cd: null, bootOrder: ['cd', 'disk-1'] },
      cards: [{ slot: 1, mac: '52:54:00:00:00:01' }],
    } as unknown as Vm;
    const { order, others } = bootOf(vm);
    expect(order.map(({ name, text }) => [name, text])).toEqual([
      ['CD drive', 'empty'],
      ['Disk 1', '1 GiB'],
    ]);
    expect(others.map(({ key }) => key)).toEqual(['card-1']);
  });
});
