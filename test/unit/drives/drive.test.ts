import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createDrives, type Drives } from '$lib/server/drives/drive';
import { NO_HEALTH } from '$lib/server/drives/health-document';
import { createBus, type Bus } from '$lib/server/events/bus';
import { createFeed, type Feed } from '$lib/server/events/feed';
import type { BlockDrive } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import type { LiveHost } from '$lib/server/host/host';

const blank: BlockDrive = {
  id: 'drive-a',
  identity: 'strong',
  sandbox: true,
  kernelName: 'loop0',
  path: '/dev/loop0',
  byId: null,
  model: 'Sandbox drive',
  vendor: null,
  serial: 'SBX-A',
  wwn: null,
  bus: 'loop',
  sizeBytes: 1_000,
  rotational: null,
  logicalSectorBytes: 512,
  physicalSectorBytes: 512,
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
const system: BlockDrive = {
  ...blank,
  id: 'drive-s',
  serial: 'S',
  kernelName: 'sda',
  system: true,
  sandbox: false,
};

let db: Db;
let bus: Bus;
let feed: Feed;
let drives: Drives;
let machine: BlockDrive[];
let listed: BlockDrive[];
let read: string[][];
let working: Set<string>;
let sleeping: Set<string>;
let now: number;

beforeEach(() => {
  const log = createLog('silent');
  db = openDatabase(':memory:');
  migrateDatabase(db, 'drizzle');
  bus = createBus(log);
  feed = createFeed();
  machine = [blank, system];
  listed = [];
  read = [];
  working = new Set();
  sleeping = new Set();
  now = 1_000;
  // A machine that forgets what sits on a drive until it is told to look.
  const blockDevices = {
    current: () => listed,
    scan: () => {
      const known = new Map(listed.map((drive) => [drive.id, drive]));
      listed = machine.map((drive) => ({ ...drive, probed: known.get(drive.id)?.probed ?? false }));
      return listed;
    },
    refresh: async (names: string[] = []) => {
      read.push(names);
      await Promise.resolve();
      listed = listed.map((drive) => (names.includes(drive.kernelName) ? { ...drive, probed: true } : drive));
      return listed;
    },
  };
  drives = createDrives({
    db,
    bus,
    feed,
    log,
    host: {
      blockDevices,
      processesUsing: async (path: string) => [{ pid: 7, command: 'sh', user: 'root', path }],
    } as unknown as LiveHost,
    clock: { now: () => now, elapsed: () => now },
    config: { sandbox: true },
    poolOf: () => null,
    operationOf: (lock) => (working.has(lock) ? 'operation-1' : null),
    isAsleep: async ({ id }) => sleeping.has(id),
    healthOf: (id) => (sleeping.has(id) ? { ...NO_HEALTH, power: 'standby' } : NO_HEALTH),
  });
});
afterEach(() => {
  drives.stop();
  closeDatabase(db);
});
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('a plugged drive is in the feed at once, and its content a moment later', async () => {
  machine = [system];
  drives.start();
  await settled();
  machine = [blank, system];
  bus.emit('block-devices.changed', { names: ['loop0'] });
  expect(feed.get('drives', 'drive-a')).toMatchObject({ present: true, probed: false });
  await settled();
  expect(feed.get('drives', 'drive-a')).toMatchObject({ probed: true, group: 'free', issues: [] });
  expect(read.at(-1)).toEqual(['loop0']);
});

test('a drive that an operation has attached is read before it counts as settled, also when the kernel is slow to tell', async () => {
  machine = [system];
  drives.start();
  await settled();
  machine = [blank, system];
  bus.emit('operation.ended', { id: 'operation-1' });
  await drives.settled();
  expect(drives.get('drive-a')).toMatchObject({ probed: true, issues: [] });
  expect(read.at(-1)).toEqual(['loop0']);
});

test('a drive is not said to be gone when a second one claims its name, and is itself again without it', async () => {
  drives.start();
  await settled();
  const twin = (place: string): BlockDrive => ({
    ...blank,
    id: `drive-a-at-${place}`,
    identity: 'ambiguous',
    kernelName: `loop${place}`,
  });
  const shown = () => drives.list().filter(({ serial }) => serial === 'SBX-A');
  machine = [twin('1'), twin('2'), system];
  bus.emit('block-devices.changed', { names: ['loop1', 'loop2'] });
  expect(shown().map(({ id, present }) => [id, present])).toEqual([
    ['drive-a-at-1', true],
    ['drive-a-at-2', true],
  ]);
  expect(feed.get('drives', 'drive-a')).toBeUndefined();
  machine = [{ ...blank, kernelName: 'loop1' }, system];
  bus.emit('block-devices.changed', { names: ['loop2'] });
  expect(shown()).toMatchObject([{ id: 'drive-a', present: true, identity: 'strong' }]);
});

test('a pulled drive stays in the list as gone, with the time it was last seen, also after a restart', async () => {
  drives.start();
  await settled();
  now = 5_000;
  machine = [system];
  bus.emit('block-devices.changed', { names: ['loop0'] });
  const gone = {
    present: false,
    group: 'gone',
    path: null,
    serial: 'SBX-A',
    firstSeenAt: 1_000,
    lastSeenAt: 5_000,
  };
  expect(drives.get('drive-a')).toMatchObject({ ...gone, issues: [{ code: 'drive_gone' }] });
  expect(feed.get('drives', 'drive-a')).toMatchObject(gone);
  now = 9_000;
  machine = [blank, system];
  bus.emit('block-devices.changed', { names: ['loop0'] });
  expect(drives.get('drive-a')).toMatchObject({ present: true, firstSeenAt: 1_000, lastSeenAt: 9_000 });
});

test('a drive that an operation has just let go of is read before all count as settled', async () => {
  drives.start();
  await settled();
  machine = [{ ...blank, probed: false }, system];
  working.add('drive:drive-a');
  bus.emit('operation.changed', { id: 'operation-1' });
  working.clear();
  bus.emit('operation.ended', { id: 'operation-1' });
  const asked = read.length;
  await drives.settled();
  expect(read.slice(asked)).toEqual([['loop0']]);
});

test('a drive that an operation works on is not probed until the operation has ended', async () => {
  drives.start();
  await settled();
  read.length = 0;
  working.add('drive:drive-a');
  bus.emit('block-devices.changed', { names: ['loop0'] });
  await settled();
  expect(read).toEqual([]);
  expect(drives.get('drive-a')).toMatchObject({ operationId: 'operation-1', issues: [{ code: 'locked' }] });
  working.clear();
  bus.emit('operation.ended', { id: 'operation-1' });
  await expect.poll(() => read).toEqual([['loop0']]);
});

test('what is named while a reading runs is read after it', async () => {
  drives.start();
  await settled();
  read.length = 0;
  bus.emit('block-devices.changed', { names: ['loop0'] });
  await Promise.resolve();
  bus.emit('block-devices.changed', { names: ['sda'] });
  await settled();
  expect(read).toEqual([['loop0'], ['sda']]);
});

test('nobody is told when nothing changed', async () => {
  drives.start();
  await settled();
  let told = 0;
  bus.on('drives.changed', () => (told += 1));
  bus.emit('operation.changed', { id: 'x' });
  bus.emit('mounts.changed', {});
  await settled();
  expect(told).toBe(0);
});

test('a bay label and a protection are kept, and a protected drive says so', () => {
  drives.start();
  expect(drives.setBayLabel('drive-a', ' bay 3 ').bayLabel).toBe('bay 3');
  expect(drives.protect('drive-a', true)).toMatchObject({ protection: 'user', group: 'protected' });
  expect(feed.get('drives', 'drive-a')).toMatchObject({ bayLabel: 'bay 3', protection: 'user' });
  expect(drives.protect('drive-a', false).protection).toBe('none');
  expect(drives.setBayLabel('drive-a', '').bayLabel).toBeNull();
});

test('the drive of the system stays protected', () => {
  drives.start();
  expect(() => drives.protect('drive-s', false)).toThrow(
    expect.objectContaining({ code: 'drive_system' }) as Error,
  );
  expect(drives.get('drive-s')).toMatchObject({ protection: 'system', group: 'protected' });
});

test('a drive is found by id and by serial, not by half a serial', () => {
  drives.start();
  expect(drives.find('drive-a')?.id).toBe('drive-a');
  expect(drives.find('sbx-a')?.id).toBe('drive-a');
  expect(drives.find('SBX')).toBeNull();
  machine = [blank, { ...blank, id: 'drive-b', kernelName: 'loop1' }];
  bus.emit('block-devices.changed', { names: [] });
  expect(() => drives.find('SBX-A')).toThrow(expect.objectContaining({ code: 'drive_ambiguous' }) as Error);
});

test('a drive that nobody knows is an error that names it', async () => {
  drives.start();
  expect(() => drives.get('drive-x')).toThrow(/drive-x/);
  expect(() => drives.protect('drive-x', true)).toThrow(
    expect.objectContaining({ code: 'drive_not_found' }) as Error,
  );
  await expect(drives.use('drive-x')).rejects.toMatchObject({ code: 'drive_not_found' });
});

test('a drive without a serial is not remembered once it is pulled, unless somebody labelled it', async () => {
  machine = [{ ...blank, id: 'drive-at-1', identity: 'weak', serial: null }];
  drives.start();
  machine = [];
  bus.emit('block-devices.changed', { names: [] });
  expect(drives.list().map((drive) => drive.id)).toEqual([]);
  machine = [{ ...blank, id: 'drive-at-1', identity: 'weak', serial: null }];
  bus.emit('block-devices.changed', { names: [] });
  drives.setBayLabel('drive-at-1', 'left');
  machine = [];
  bus.emit('block-devices.changed', { names: [] });
  expect(drives.list().map((drive) => [drive.id, drive.bayLabel])).toEqual([['drive-at-1', 'left']]);
});

test('who uses a drive is asked for every mount of it', async () => {
  machine = [{ ...blank, mounts: [{ path: '/srv', filesystem: 'ext4', readOnly: false }] }];
  drives.start();
  expect((await drives.use('drive-a')).processes).toEqual([
    { pid: 7, command: 'sh', user: 'root', path: '/srv' },
  ]);
});

test('nothing is read or written any more once it was stopped, also when the database is closed', async () => {
  drives.start();
  const reading = drives.refresh(['loop0']);
  drives.stop();
  closeDatabase(db);
  await expect(reading).resolves.toBeUndefined();
  const before = read.length;
  await expect(drives.refresh()).resolves.toBeUndefined();
  expect(read).toHaveLength(before);
});

test('a sleeping drive is not woken by an event, and is read when somebody asks', async () => {
  sleeping = new Set(['drive-a']);
  drives.start();
  bus.emit('block-devices.changed', { names: [] });
  await settled();
  expect(read.flat()).not.toContain('loop0');
  expect(drives.get('drive-a')).toMatchObject({
    probed: false,
    issues: [{ code: 'drive_unreadable', message: expect.stringContaining('sleeps') }],
  });
  await drives.refresh(['loop0']);
  expect(read.at(-1)).toEqual(['loop0']);
  expect(drives.get('drive-a').issues).toEqual([]);
});

test('another temperature is news for pages, not for those who read the drives anew', async () => {
  drives.start();
  await settled();
  let changes = 0;
  bus.on('drives.changed', () => (changes += 1));
  sleeping = new Set(['drive-a']);
  bus.emit('drive.health', { driveId: 'drive-a' });
  expect(feed.get('drives', 'drive-a')).toMatchObject({ health: { power: 'standby' } });
  expect(changes).toBe(0);
});
