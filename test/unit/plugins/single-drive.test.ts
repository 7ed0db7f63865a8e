import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PoolSpec } from '$lib/plugin-api/storage';
import { FILESYSTEMS } from '$plugins/single-drive/filesystems';
import makePlugin from '$plugins/single-drive/plugin.server';

const plugin = makePlugin(sdk);
const spec = (options: PoolSpec['options'], contentHash = 'blank', partitions: number[] = []): PoolSpec => ({
  guid: '04ae4f2b-562c-41fa-8c87-c34d7aa38f01',
  label: 'A long label of mine',
  layout: 'single',
  options,
  mountPath: '/mnt/a',
  mountPathExisted: false,
  drives: [
    {
      ...{ id: 'drive-a', serial: 'SER-A', label: 'bay 1', sizeBytes: 1024 ** 3, slot: 0 },
      ...{ contentHash, partitions, present: true },
    },
  ],
});
const names = (steps: { name: string }[]): string[] => steps.map((step) => step.name);

describe('single-drive plans', () => {
  it('create a partition only when asked for', () => {
    expect(names(plugin.create(spec({ filesystem: 'ext4', partition: true })))).toEqual([
      ...['partition-drive', 'show-partition', 'make-filesystem', 'make-mount-point', 'protect-mount-point'],
      ...['mount', 'make-identity-folder', 'write-identity'],
    ]);
    expect(names(plugin.create(spec({ filesystem: 'xfs', partition: false })))[0]).toBe('make-filesystem');
  });
  it('erase old partitions before the drive, and say that this cannot be taken back', () => {
    const [erase, forget] = plugin.create(spec({ filesystem: 'ext4' }, 'hash', [2, 1]));
    expect(erase?.undo).toBe('impossible');
    expect(erase?.run).toMatchObject({
      argv: [
        '--all',
        '--',
        { drive: 'drive-a', partition: 1 },
        { drive: 'drive-a', partition: 2 },
        { drive: 'drive-a' },
      ],
    });
    expect(forget?.name).toBe('forget-old-partitions-0');
  });
  it('are equal for equal pools, so that their hash is', () => {
    const wanted = spec({ filesystem: 'ext4' });
    expect(JSON.stringify(plugin.create(wanted))).toBe(
      JSON.stringify(plugin.create(structuredClone(wanted))),
    );
  });
  it('keep a mount folder that was there before', () => {
    const kept = { ...spec({ filesystem: 'ext4' }), mountPathExisted: true };
    expect(names(plugin.create(kept))).not.toContain('make-mount-point');
    expect(names(plugin.destroy(kept))).not.toContain('remove-mount-point');
  });
  it('unmount and remove the folder before anything is erased', () => {
    expect(names(plugin.destroy(spec({ filesystem: 'ext4' })))).toEqual([
      ...[
        'unmount',
        'unprotect-mount-point',
        'remove-mount-point',
        'erase-filesystem',
        'erase-partition-table',
        'forget-partition',
      ],
    ]);
  });
  it('give a filesystem no longer label than it takes', () => {
    const rename = plugin.rename(spec({ filesystem: 'xfs' }), 'Another one of mine');
    expect(rename[0]?.run).toMatchObject({ argv: ['-c', 'label -s Another_one', '/mnt/a'] });
  });
  it('refuse to put anything but a plain label into the command line of xfs_io', () => {
    const request = { at: { drive: 'd' }, mountPath: '/mnt/a' };
    expect(() => FILESYSTEMS.xfs.setLabel({ ...request, label: 'a; !sh' })).toThrow(TypeError);
  });
});
