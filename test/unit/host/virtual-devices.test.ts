import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { arrayUuid, readVirtualDevices } from '$lib/server/host/virtual-devices';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'cairn-sysfs-'))));
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

it('knows an array by its UUID and a mapped device by its name', () => {
  put('block/md127/md/uuid', '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a00\n');
  put('block/dm-0/dm/name', 'group-volume\n');
  put('block/sda/size', '1\n');
  expect(readVirtualDevices(root)).toEqual([
    { kind: 'mapped', kernelName: 'dm-0', path: '/dev/dm-0', key: 'group-volume' },
    { kind: 'array', kernelName: 'md127', path: '/dev/md127', key: '3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a00' },
  ]);
});

it('takes the zeros of an array that was not started for no UUID, and asks its members', () => {
  put('block/md127/md/uuid', '00000000-0000-0000-0000-000000000000\n');
  put('block/md127/md/metadata_version', '1.2\n');
  mkdirSync(join(root, 'block/md127/slaves'));
  expect(readVirtualDevices(root)).toEqual([
    { kind: 'array', kernelName: 'md127', path: '/dev/md127', key: null },
  ]);
});

it('spells the UUID of mdadm as the kernel does', () => {
  expect(arrayUuid('3b0c6f2e:7f4d4b8a:9c0e5a1d:2e3f4a00')).toBe('3b0c6f2e-7f4d-4b8a-9c0e-5a1d2e3f4a00');
  expect(arrayUuid('none')).toBeNull();
});
