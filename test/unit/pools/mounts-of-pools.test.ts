import { describe, expect, it } from 'vitest';
import type { MountEntry } from '$lib/server/host/types';
import { mountsOfPools } from '$lib/server/pools/mounts-of-pools';

const mount = (path: string, source: string, more: Partial<MountEntry> = {}): MountEntry => ({
  ...{ path, source, filesystem: 'ext4', majorMinor: '8:1', readOnly: false, options: ['rw'] },
  ...more,
});
const pools = [{ mountPath: '/mnt/photos', drives: [{ driveId: 'disk-a' }] }];
const driveIdOf = (device: string): string | null =>
  ({ '/dev/sda1': 'disk-a', '/dev/sdb1': 'disk-b' })[device] ?? null;
const text = (...mounts: MountEntry[]): string => mountsOfPools(mounts, pools, driveIdOf);
const system = mount('/', '/dev/sdb1');

describe('pools are asked about a mount', () => {
  it('that no pool can be part of: not', () => {
    const before = text(system);
    const overlay = mount('/var/lib/docker/overlay2/x/merged', 'overlay', { filesystem: 'overlay' });
    expect(text(system, overlay)).toBe(before);
    expect(text(system, mount('/run/user/0', 'tmpfs', { filesystem: 'tmpfs' }))).toBe(before);
    expect(text(system, mount('/media/stick', '/dev/sdb1'))).toBe(before);
    expect(text(system, mount('/snap/core', '/dev/loop7', { filesystem: 'squashfs' }))).toBe(before);
  });

  it.each([
    ['at its path', mount('/mnt/photos', 'tmpfs', { filesystem: 'tmpfs' })],
    ['of its drive, elsewhere', mount('/mnt/other', '/dev/sda1')],
    ['of an array', mount('/mnt/other', '/dev/md127')],
    ['of a volume', mount('/mnt/other', '/dev/mapper/vg-lv')],
    ['of a dataset', mount('/mnt/other', 'tank/data', { filesystem: 'zfs' })],
    ['of a share', mount('/mnt/other', 'nas:/srv', { filesystem: 'nfs4' })],
  ])('%s', (_, entry) => {
    expect(text(system, entry)).not.toBe(text(system));
  });

  it('of theirs that became read-only', () => {
    const readOnly = mount('/mnt/photos', '/dev/sda1', { readOnly: true });
    expect(text(readOnly)).not.toBe(text(mount('/mnt/photos', '/dev/sda1')));
  });
});
