import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { VmSpec } from '$lib/plugin-api/vm';
import { checkVmPlan } from '$lib/server/plugins/plan-check';
import { userData } from '$lib/server/vms/cloud-init';
import { readMoreConfig } from '$lib/server/vms/more-cloud-config';
import { formatsOf, mkfsIssues, mountsOf, volumesOf } from '$lib/server/vms/volumes';
import { volumeIssues, type VolumeRequest } from '$lib/shared/vm-volumes';
import makePlugin from '$plugins/libvirt/plugin.server';

const MIB = 1024 ** 2;
const ID = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
const volume = (change: Partial<VolumeRequest> = {}): VolumeRequest => ({
  ...{ sizeBytes: 64 * MIB, filesystem: 'ext4', label: '', mountPoint: '' },
  ...change,
});
const codes = (volumes: VolumeRequest[], hasLogin = true): string[] =>
  volumeIssues(volumes, hasLogin).map(({ code, field }) => `${code} ${field ?? ''}`);

describe('secondary volumes of a new machine', () => {
  it.each<[Partial<VolumeRequest>, string]>([
    [{ sizeBytes: 0 }, 'disk_invalid disks.0.sizeBytes'],
    [{ sizeBytes: NaN }, 'disk_invalid disks.0.sizeBytes'],
    [{ sizeBytes: MIB + 1, filesystem: 'none' }, 'disk_invalid disks.0.sizeBytes'],
    [{ sizeBytes: MIB }, 'volume_too_small disks.0.sizeBytes'],
    [{ filesystem: 'xfs' }, 'volume_too_small disks.0.sizeBytes'],
    [{ label: 'a b' }, 'volume_label_invalid disks.0.label'],
    [{ label: '-L' }, 'volume_label_invalid disks.0.label'],
    [{ label: 'x'.repeat(17) }, 'volume_label_invalid disks.0.label'],
    [{ filesystem: 'none', label: 'data' }, 'volume_label_invalid disks.0.label'],
    [{ mountPoint: 'srv' }, 'volume_mount_invalid disks.0.mountPoint'],
    [{ mountPoint: '/srv/../etc' }, 'volume_mount_invalid disks.0.mountPoint'],
    [{ mountPoint: '/srv/a b' }, 'volume_mount_invalid disks.0.mountPoint'],
    [{ mountPoint: '/' }, 'volume_mount_invalid disks.0.mountPoint'],
    [{ mountPoint: '/etc/data' }, 'volume_mount_invalid disks.0.mountPoint'],
    [{ filesystem: 'none', mountPoint: '/srv' }, 'volume_mount_invalid disks.0.mountPoint'],
  ])('are refused by name: %j', (change, wrong) => {
    expect(codes([volume(change)])).toEqual([wrong]);
  });
  it('are fine with what is left out, and all that is wrong is said at once', () => {
    expect(codes([volume(), volume({ filesystem: 'none' }), volume({ mountPoint: '/srv/data' })])).toEqual(
      [],
    );
    expect(codes([volume({ label: 'data-3' }), volume(), volume({ sizeBytes: 0 })])).toEqual([
      'disk_invalid disks.2.sizeBytes',
      'volume_label_invalid disks.1.label',
    ]);
    expect(codes([volume({ mountPoint: '/srv' }), volume({ mountPoint: '/srv' })])).toEqual([
      'volume_mount_invalid disks.1.mountPoint',
    ]);
    expect(codes([volume({ mountPoint: '/srv' })], false)).toEqual([
      'volume_mount_invalid disks.0.mountPoint',
    ]);
  });

  const request = { id: ID, disks: [volume({ mountPoint: '/srv/data' }), volume({ filesystem: 'none' })] };
  const folder = '/mnt/tank/machines/web';
  const spec: VmSpec = {
    ...{ id: ID, name: 'web', cpus: 1, memoryBytes: MIB, virtType: 'kvm', folder, diskBytes: MIB },
    ...{ diskPath: `${folder}/disk.qcow2`, seedPath: null, cdPath: null, asRoot: false },
    moreDisks: volumesOf(request, folder),
  };
  const plugin = makePlugin(sdk);

  it('are steps of their own, within the folder of the machine, and taken back', () => {
    const steps = plugin.create(spec, { image: null, formats: formatsOf(request), seed: null });
    expect(checkVmPlan(plugin, spec, steps)).toBe(steps);
    expect(steps.map(({ name }) => name).filter((name) => /-\d$/.test(name))).toEqual([
      ...['make-volume-2', 'format-volume-2', 'convert-volume-2', 'remove-raw-2', 'make-volume-3'],
    ]);
    const format = steps.find(({ name }) => name === 'format-volume-2');
    expect(format?.run).toHaveProperty('argv', expect.arrayContaining(['-L', 'data-2', '--']));
    expect(formatsOf(request)[0]?.uuid).toBe(formatsOf(request)[0]?.uuid);
    const made = steps.filter(({ name }) => /^(make|convert)-volume-/.test(name));
    expect(made.every(({ undo }) => Array.isArray(undo) && undo.length === 1)).toBe(true);
  });
  it('are mounted by their label, and the guest starts without them too', () => {
    const login = { user: 'ann', sshKeys: [], hasPassword: true, packages: [], more: {} };
    const text = userData('web', { ...login, mounts: mountsOf(request) });
    expect(text).toContain('LABEL=data-2');
    expect(text).toMatch(/\/srv\/data[\s\S]*nofail/);
    expect(userData('web', login)).not.toContain('mounts');
    expect(readMoreConfig('mounts: []', true).issues[0]?.code).toBe('cloud_config_taken');
    expect(readMoreConfig('mounts: []').issues).toEqual([]);
  });
  it('are refused when their program is not there, or their number is too large', () => {
    const made = { mkfs: { ext4: '/nowhere/mkfs', xfs: '/nowhere/mkfs' }, most: () => 2 };
    const wrong = (disks: object | undefined, asked: VolumeRequest[]): unknown[] =>
      mkfsIssues({ name: 'Toy', disks } as never, { id: ID, disks: asked, devices: 'virtio' }).map(
        ({ code }) => code,
      );
    expect(wrong(made, [volume()])).toEqual(['program_missing']);
    expect(wrong({ most: () => 2 }, [volume()])).toEqual(['not_supported']);
    expect(wrong(made, [volume(), volume()])).toEqual(['disks_too_many']);
    expect(wrong(made, [volume({ filesystem: 'none' })])).toEqual([]);
  });
});
