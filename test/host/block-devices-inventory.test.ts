import { execFileSync } from 'node:child_process';
import { closeSync, constants, copyFileSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBlockDevices, type LiveBlockDevices } from '$lib/server/host/block-devices';
import { createCommands, type Commands } from '$lib/server/host/command';
import { createLog } from '$lib/server/log';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { makeLoopDrives, type LoopDrive, type LoopDrives } from '../support/loop-drives';

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const partition = (drive: LoopDrive, ...lines: string[]): void => {
  execFileSync('/usr/sbin/sfdisk', ['--quiet', drive.path], {
    input: lines.join('\n'),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  tool('/usr/bin/partx', '--update', drive.path);
};

let before: Traces;
let loops: LoopDrives;
let devices: LiveBlockDevices;
let commands: Commands;
let one: LoopDrive;
let two: LoopDrive;
beforeEach(() => {
  before = traces();
  loops = makeLoopDrives(2);
  [one, two] = loops.drives as [LoopDrive, LoopDrive];
  commands = createCommands();
  devices = createBlockDevices({
    commands,
    sandboxDir: loops.directory,
    log: createLog('silent'),
  });
  devices.scan();
});
afterEach(async () => {
  commands.readers.close();
  loops.cleanUp();
  await expectNoLeaks(before, loops.directory);
});
const name = (drive: LoopDrive): string => drive.path.slice('/dev/'.length);
const shown = (drive: LoopDrive) => devices.current().find((entry) => entry.id === drive.id);

test('a drive is listed at once, and what sits on it a moment later', async () => {
  expect(shown(one)).toMatchObject({
    path: one.path,
    serial: one.serial,
    sandbox: true,
    identity: 'strong',
    sizeBytes: 512 * 1024 ** 2,
    probed: false,
    contentHash: 'unread',
  });
  await devices.refresh([name(one)]);
  expect(shown(one)).toMatchObject({ probed: true, contentHash: 'blank', signatures: [] });
  expect(shown(two)?.probed).toBe(false);
});

test('a drive is the same one when its kernel name changes, with its content known to be unread', async () => {
  await devices.refresh();
  loops.detach(one);
  loops.detach(two);
  loops.attach(two);
  loops.attach(one);
  devices.scan();
  expect(shown(one)?.path).toBe(one.path);
  expect(devices.resolve({ drive: one.id })).toBe(one.path);
  expect(devices.driveIdOf(one.path)).toBe(one.id);
  expect(shown(one)?.probed).toBe(false);
});

test('the path of a drive follows it without anybody telling', () => {
  const old = one.path;
  loops.detach(one);
  loops.detach(two);
  loops.attach(two);
  loops.attach(one);
  expect([one.path === old, devices.resolve({ drive: one.id })]).toEqual([false, one.path]);
});

test('the content hash changes with everything that could be lost, and is blank again after a wipe', async () => {
  const hash = async (): Promise<string> => (await devices.inspect(one.id)).contentHash;
  const hashes = [await hash()];
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', one.path);
  hashes.push(await hash());
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', one.path);
  hashes.push(await hash());
  tool('/usr/sbin/tune2fs', '-L', 'photos', one.path);
  hashes.push(await hash());
  tool('/usr/sbin/wipefs', '--all', one.path);
  hashes.push(await hash());
  partition(one, 'label: gpt', 'size=100M');
  hashes.push(await hash());
  tool('/usr/sbin/mkfs.ext4', '-q', `${one.path}p1`);
  hashes.push(await hash());
  const again = await hash();
  expect(hashes[0]).toBe('blank');
  expect(hashes[4]).toBe('blank');
  expect(again).toBe(hashes[6]);
  expect(new Set(hashes).size).toBe(6);
});

test('partitions come with their filesystem, name and mount', async () => {
  partition(one, 'label: gpt', 'size=200M,name="data part"', 'size=100M');
  tool('/usr/sbin/mkfs.ext4', '-q', '-L', 'photos', `${one.path}p1`);
  const path = join(loops.directory, 'my mount');
  mkdirSync(path);
  tool('/usr/bin/mount', '--', `${one.path}p1`, path);
  await devices.refresh([`${name(one)}p1`]);
  expect(shown(one)?.signatures.map((signature) => signature.type)).toEqual(['gpt']);
  expect(shown(one)?.partitions).toMatchObject([
    {
      number: 1,
      path: `${one.path}p1`,
      name: 'data part',
      sizeBytes: 200 * 1024 ** 2,
      signatures: [{ type: 'ext4', label: 'photos', usage: 'filesystem' }],
      mounts: [{ path, filesystem: 'ext4', readOnly: false }],
    },
    { number: 2, signatures: [], mounts: [] },
  ]);
  expect(devices.pathOf({ drive: one.id, partition: 2 })).toBe(`${one.path}p2`);
  expect(devices.pathOf({ drive: one.id, partition: 3 })).toBeNull();
});

test('every member of a mounted btrfs shows the mount', async () => {
  tool('/usr/sbin/mkfs.btrfs', '--quiet', '--force', '-d', 'raid1', '-m', 'raid1', one.path, two.path);
  const path = join(loops.directory, 'tank');
  mkdirSync(path);
  tool('/usr/bin/mount', '-o', `device=${one.path},device=${two.path}`, one.path, path);
  await devices.refresh();
  expect([shown(one)?.mounts, shown(two)?.mounts]).toMatchObject([[{ path }], [{ path }]]);
});

test('a swap area in use, and a program that holds the drive for itself, are named', async () => {
  tool('/usr/sbin/mkswap', one.path);
  tool('/usr/sbin/swapon', one.path);
  try {
    devices.scan();
    expect(shown(one)?.usedBy).toEqual([`swap on ${name(one)}`]);
    expect(shown(one)?.system).toBe(true);
  } finally {
    tool('/usr/sbin/swapoff', one.path);
  }
  const held = openSync(two.path, constants.O_RDONLY | constants.O_EXCL);
  try {
    expect((await devices.inspect(two.id)).usedBy).toEqual(['another program, which holds it for itself']);
  } finally {
    closeSync(held);
  }
  expect((await devices.inspect(two.id)).usedBy).toEqual([]);
});

test('a file that is attached twice is two ambiguous drives, and none of them is used by its plain id', async () => {
  const second = tool('/usr/sbin/losetup', '--find', '--show', '--', one.file).trim();
  try {
    const found = devices.scan().filter((drive) => drive.serial === one.serial);
    expect(found.map((drive) => drive.identity)).toEqual(['ambiguous', 'ambiguous']);
    expect(new Set(found.map((drive) => drive.id)).size).toBe(2);
    await expect(devices.inspect(one.id)).rejects.toMatchObject({ code: 'drive_ambiguous' });
    expect(() => devices.resolve({ drive: one.id })).toThrow(
      expect.objectContaining({ code: 'drive_ambiguous' }) as Error,
    );
  } finally {
    tool('/usr/sbin/losetup', '--detach', second);
  }
});

test('a drive that was pulled is gone for whoever asks', async () => {
  loops.detach(one);
  await expect(devices.inspect(one.id)).rejects.toMatchObject({ code: 'drive_gone' });
  expect(() => devices.resolve({ drive: one.id })).toThrow(
    expect.objectContaining({ code: 'drive_gone' }) as Error,
  );
  devices.scan();
  expect(devices.pathOf({ drive: one.id })).toBeNull();
  expect(shown(one)).toBeUndefined();
});

test('the same content on another drive under the old name is not taken for the old drive', async () => {
  await devices.refresh();
  loops.detach(one);
  const other = join(loops.directory, 'SBX-TEST-99.img');
  copyFileSync(one.file, other);
  const path = tool('/usr/sbin/losetup', '--show', one.path, other).trim();
  try {
    devices.scan();
    expect(shown(one)).toBeUndefined();
    expect(devices.driveIdOf(path)).toBe('drive-sbx-test-99');
    expect(devices.current().find((drive) => drive.id === 'drive-sbx-test-99')?.probed).toBe(false);
  } finally {
    tool('/usr/sbin/losetup', '--detach', path);
    rmSync(other);
  }
});

test('the drive of the running system is marked as such', () => {
  const root = tool('/usr/bin/findmnt', '--noheadings', '--output', 'SOURCE', '--target', '/').trim();
  expect(devices.current().find((drive) => root.startsWith(drive.path))?.system).toBe(true);
});
