import { describe, expect, it } from 'vitest';
import { requestIssuesOf } from '$lib/server/vms/check-request';
import type { Image } from '$lib/shared/wire/images';
import { vmPlanRequest } from '$lib/shared/wire/vms';

const GIB = 1024 ** 3;
const host = { cpus: 4, memoryBytes: 8 * GIB, availableBytes: 6 * GIB };
const image = {
  ...{ id: 'i', name: 'Debian', badge: 'ready', path: '/i.qcow2', format: 'qcow2', arch: 'x86_64' },
} as unknown as Image;
const request = (change: Record<string, unknown> = {}) =>
  vmPlanRequest.parse({
    ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', imageId: 'i' },
    ...{ poolGuid: '6a1f0c52-77aa-4d5e-9f43-0d1c2b3a4f55', cpus: 1, memoryBytes: GIB, diskBytes: GIB },
    ...change,
  });
const codes = (change: Record<string, unknown>, of: Image | null = image): string[] =>
  requestIssuesOf(request(change), of, host).map(({ code }) => code);

describe('a request for a machine', () => {
  it('is fine as it is', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ cpus: 4, topology: { sockets: 2, cores: 2, threads: 1 } })).toEqual([]);
    expect(codes({ diskBytes: undefined })).toEqual([]);
    expect(codes({ diskBytes: null, diskFreeBytes: 5 * GIB })).toEqual([]);
  });
  it.each([
    [{ cpus: 0 }, 'cpus_invalid'],
    [{ cpus: 1.5 }, 'cpus_invalid'],
    [{ cpus: 5 }, 'cpus_too_many'],
    [{ cpus: 4, topology: { sockets: 2, cores: 2, threads: 2 } }, 'topology_mismatch'],
    [{ cpus: 4, topology: { sockets: 0, cores: 4, threads: 1 } }, 'topology_invalid'],
    [{ cpus: 4, topology: { sockets: 2.5, cores: 2, threads: 1 } }, 'topology_invalid'],
    [{ memoryBytes: 0 }, 'memory_invalid'],
    [{ memoryBytes: 8 * GIB }, 'memory_too_much'],
    [{ memoryBytes: 7 * GIB }, 'memory_taken'],
    [{ diskBytes: 0 }, 'disk_invalid'],
    [{ diskBytes: -1 }, 'disk_invalid'],
    [{ diskBytes: GIB + 1 }, 'disk_invalid'],
    [{ diskFreeBytes: GIB }, 'disk_invalid'],
    [{ diskBytes: null, diskFreeBytes: -1 }, 'disk_invalid'],
    [{ diskBytes: null, diskFreeBytes: 0.5 }, 'disk_invalid'],
    [{ cloudInit: { user: 'ann', hasPassword: false } }, 'no_login'],
    [{ cloudInit: { user: 'ann', hasPassword: true, packages: ['nginx; reboot'] } }, 'package_name_invalid'],
    [{ cloudInit: { user: 'ann', hasPassword: true, more: 'users: []' } }, 'cloud_config_taken'],
    [{ cloudInit: { user: 'root:x', hasPassword: true } }, 'user_name_invalid'],
    [{ cloudInit: { user: 'ann', hasPassword: true, sshKeys: ['x'] } }, 'ssh_key_invalid'],
  ])('is refused by name: %j', (change, code) => {
    expect(codes(change)).toEqual([code]);
  });
  it('hears of everything that is wrong at once', () => {
    expect(codes({ name: '', cpus: 0, memoryBytes: 0, diskBytes: 0 })).toEqual([
      ...['vm_name_empty', 'cpus_invalid', 'memory_invalid', 'disk_invalid'],
    ]);
  });
  it.each([
    [null, 'image_not_found'],
    [{ badge: 'downloading' }, 'image_not_ready'],
    [{ badge: 'needs-download', path: null }, 'image_not_ready'],
    [{ format: 'vmdk' }, 'image_unsupported'],
    [{ arch: process.arch === 'arm64' ? 'x86_64' : 'aarch64' }, 'image_unsupported'],
  ])('needs an image that can be started: %j', (change, code) => {
    expect(codes({}, change && ({ ...image, ...change } as Image))).toEqual([code]);
  });
});
