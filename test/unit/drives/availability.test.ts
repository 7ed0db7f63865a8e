import { expect, test } from 'vitest';
import { groupOf, issuesOf, protectionOf, type Circumstances } from '$lib/server/drives/availability';
import type { BlockDrive } from '$lib/server/host/types';

const drive: BlockDrive = {
  id: 'drive-5000c500a1b2c3d4',
  identity: 'strong',
  sandbox: false,
  kernelName: 'sda',
  path: '/dev/sda',
  byId: null,
  model: 'WD Red',
  vendor: null,
  serial: 'WCC7K1',
  wwn: '5000c500a1b2c3d4',
  bus: 'sata',
  sizeBytes: 4_000_000_000_000,
  rotational: true,
  logicalSectorBytes: 512,
  physicalSectorBytes: 4096,
  readOnly: false,
  removable: false,
  backingFile: null,
  system: false,
  usedBy: [],
  signatures: [],
  mounts: [],
  holders: [],
  partitions: [],
  probed: true,
  contentHash: 'blank',
};
const free: Circumstances = { protectedByUser: false, sandboxMode: false, pool: null, operationId: null };
const mounted = { path: '/srv', filesystem: 'ext4', readOnly: false };

test('a drive that nothing stands against is free and has no issue', () => {
  expect([groupOf(drive, free), issuesOf(drive, free)]).toEqual(['free', []]);
});

test.each<[string, Partial<BlockDrive>, Partial<Circumstances>, string, string, RegExp]>([
  [
    'holds the system',
    { system: true, mounts: [mounted] },
    {},
    'protected',
    'drive_system',
    /WD Red WCC7K1 holds/,
  ],
  ['was protected', {}, { protectedByUser: true }, 'protected', 'drive_protected', /protected by a user/],
  ['is real in sandbox mode', {}, { sandboxMode: true }, 'protected', 'drive_sandbox_mode', /real drive/],
  [
    'is in a pool',
    { mounts: [mounted] },
    { pool: { guid: 'g', label: 'tank' } },
    'in-pool',
    'drive_in_pool',
    /pool "tank"/,
  ],
  ['is mounted', { mounts: [mounted] }, {}, 'in-use', 'drive_in_use', /mounted at \/srv/],
  [
    'has somebody above',
    { usedBy: ['md127 is built on sda'] },
    {},
    'in-use',
    'drive_in_use',
    /md127 is built on sda/,
  ],
  ['has a double', { identity: 'ambiguous' }, {}, 'free', 'drive_ambiguous', /cannot be told from another/],
  [
    'was set aside',
    {},
    { setAside: { at: 1, why: 'it rattles.' } },
    'set-aside',
    'drive_set_aside',
    /set aside: it rattles/,
  ],
  ['is read-only', { readOnly: true }, {}, 'free', 'drive_read_only', /read-only/],
  ['could not be read', { probed: false }, {}, 'free', 'drive_unreadable', /could not be read/],
  ['is being worked on', {}, { operationId: 'op' }, 'free', 'locked', /operation is at work/],
])(
  'a drive that %s says so, with a remedy, and cannot be chosen',
  (_, change, about, group, code, message) => {
    const given = { ...drive, ...change };
    const circumstances = { ...free, ...about };
    const issues = issuesOf(given, circumstances);
    expect(groupOf(given, circumstances)).toBe(group);
    expect(issues.map((one) => one.code)).toEqual([code]);
    expect(issues[0]?.message).toMatch(message);
    expect(issues[0]?.remedy ?? (code === 'locked' ? '' : undefined)).toBeDefined();
  },
);

test('a partition in use is named by its mount path, and the remedy says what to unmount', () => {
  const partition = {
    number: 1,
    path: '/dev/sda1',
    sizeBytes: 1,
    uuid: null,
    name: null,
    signatures: [],
    holders: [],
  };
  const [found] = issuesOf({ ...drive, partitions: [{ ...partition, mounts: [mounted] }] }, free);
  expect(found).toMatchObject({
    code: 'drive_in_use',
    remedy: expect.stringContaining('Unmount /srv') as string,
  });
});

test('the system wins over a protection by a user, that over sandbox mode; a sandbox drive is free in it', () => {
  const all = { ...free, protectedByUser: true, sandboxMode: true };
  expect(protectionOf({ system: true, sandbox: false }, all)).toBe('system');
  expect(protectionOf({ system: false, sandbox: false }, all)).toBe('user');
  expect(protectionOf({ system: false, sandbox: true }, { ...free, sandboxMode: true })).toBe('none');
});

test('a drive that tells no serial number can be chosen: alone it cannot be mixed up', () => {
  expect(issuesOf({ ...drive, identity: 'weak' }, free)).toEqual([]);
});
