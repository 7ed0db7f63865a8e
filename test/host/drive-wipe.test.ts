import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWipeExpiry } from '$lib/server/drives/wipe-expiry';
import { createLog } from '$lib/server/log';
import type { Operation } from '$lib/shared/wire/operations';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const MiB = 1024 ** 2;
const DRIVE_BYTES = 128 * MiB;
let before: Traces;
let stack: StorageStack;

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const pipe = (program: string, input: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', input });
const first = () => stack.loops.drives[0] ?? expect.fail('no drive');
const shown = () => stack.drives.get(first().id);
/** Only ours: the machine may have many others. */
const reread = (): Promise<void> => stack.drives.refresh([first().path.slice('/dev/'.length)]);
const signatures = (path: string): string =>
  tool('/usr/sbin/wipefs', '--noheadings', '--output', 'TYPE', path).trim();

beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 1, driveBytes: DRIVE_BYTES });
});
afterEach(async () => {
  await stack.close();
  await expectNoLeaks(before, stack.loops.directory);
});

/** Asks, confirmed, and waits for the end and for what is on the drive then. */
async function run(kind: string, request: Record<string, string>): Promise<Operation> {
  const preview = await stack.operations.preview(kind, request);
  const asked = await stack.operations.start({
    kind,
    request,
    actor: TESTER,
    confirmCode: preview.confirmCode,
  });
  const ended = await stack.operations.wait(asked.id);
  await reread();
  return ended;
}
async function wipe(): Promise<Operation> {
  await reread();
  return run('drive.wipe', { driveId: first().id });
}
async function takeBack(): Promise<Operation> {
  return run('drive.restore-wipe', { backupId: shown().wiped?.backupId ?? expect.fail('nothing saved') });
}

/** A GPT with two ext4 partitions, and a marker file in each. */
function fill(): { at: string; read: () => string }[] {
  const { path } = first();
  pipe(
    '/usr/sbin/sfdisk',
    'label: gpt\nsize=32M\nsize=+\n',
    '--quiet',
    '--no-reread',
    '--no-tell-kernel',
    path,
  );
  tool('/usr/bin/partx', '--update', path);
  tool('/usr/sbin/mkfs.ext4', '-q', '-L', 'photos', `${path}p1`);
  tool('/usr/sbin/mkfs.ext4', '-q', `${path}p2`);
  const at = join(stack.config.dataDir, 'look');
  mkdirSync(at, { recursive: true });
  const withMount = <T>(number: number, act: () => T): T => {
    tool('/usr/bin/mount', `${first().path}p${number}`, at);
    try {
      return act();
    } finally {
      tool('/usr/bin/umount', at);
    }
  };
  return [1, 2].map((number) => {
    withMount(number, () => writeFileSync(join(at, 'marker'), `precious ${number}`));
    return { at, read: () => withMount(number, () => readFileSync(join(at, 'marker'), 'utf8')) };
  });
}

test('a wiped drive is empty, and its filesystems mount again after the wipe was taken back', async () => {
  const places = fill();
  await reread();
  const hash = shown().contentHash;
  expect((await wipe()).state).toBe('succeeded');
  expect(shown()).toMatchObject({ contentHash: 'blank', partitions: [], wiped: { why: null } });
  expect(shown().wiped?.description).toContain('ext4 "photos" on partition 1');
  expect(signatures(first().path)).toBe('');
  const { path = '' } = stack.db.$client.prepare('SELECT path FROM wipe_backups').get() as { path?: string };
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(path).size).toBeLessThan(8 * MiB);

  expect((await takeBack()).state).toBe('succeeded');
  expect(shown()).toMatchObject({ contentHash: hash, wiped: null });
  expect(places.map((place) => place.read())).toEqual(['precious 1', 'precious 2']);
  for (const number of [1, 2]) tool('/usr/sbin/fsck.ext4', '-fn', `${first().path}p${number}`);
  rmdirSync(places[0]?.at ?? '');
});

test('a drive can be wiped and taken back again and again', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  for (let time = 0; time < 2; time += 1) {
    expect((await wipe()).state).toBe('succeeded');
    expect((await takeBack()).state).toBe('succeeded');
  }
  expect(signatures(first().path)).toBe('ext4');
});

test.each([
  ['LVM', (path: string) => void tool('/usr/sbin/pvcreate', '-qq', '--force', path), 'LVM2_member'],
  ['btrfs', (path: string) => void tool('/usr/sbin/mkfs.btrfs', '-q', path), 'btrfs'],
  ['swap', (path: string) => void tool('/usr/sbin/mkswap', path), 'swap'],
  [
    'an MBR',
    (path: string) =>
      void pipe('/usr/sbin/sfdisk', 'label: dos\n,64M\n', '-q', '--no-reread', '--no-tell-kernel', path),
    'dos',
  ],
  ['ZFS at both ends', makeZfsLabels, 'zfs_member'],
  ['md at its end', makeMdSuperblock, 'linux_raid_member'],
])('a used drive with %s is named and cleaned, and comes back as it was', async (_what, make, type) => {
  make(first().path);
  const whole = () => tool('/usr/bin/sha256sum', first().path).slice(0, 64);
  const was = whole();
  await reread();
  expect(shown().signatures.map((signature) => signature.type)).toContain(type);
  expect((await wipe()).state).toBe('succeeded');
  expect(signatures(first().path)).toBe('');
  expect(shown().contentHash).toBe('blank');
  expect((await takeBack()).state).toBe('succeeded');
  expect(whole()).toBe(was);
});

test('what was written since, wherever a signature was, forbids taking back', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  await wipe();
  const backupId = shown().wiped?.backupId ?? '';
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  await reread();
  expect(shown().wiped?.why).toContain('written');
  await expect(stack.operations.preview('drive.restore-wipe', { backupId })).rejects.toThrow(/written/);
  // Erased again, so that nothing is recognised: the bytes around still tell.
  tool('/usr/sbin/wipefs', '-qa', first().path);
  await reread();
  expect(shown().contentHash).toBe('blank');
  await expect(stack.operations.preview('drive.restore-wipe', { backupId })).rejects.toThrow(/written/);
});

test('a single byte that is neither zero nor as it was is noticed', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  await wipe();
  const drive = openSync(first().path, 'r+');
  writeSync(drive, Buffer.from([0x77]), 0, 1, 2_000);
  closeSync(drive);
  const backupId = shown().wiped?.backupId ?? '';
  await expect(stack.operations.preview('drive.restore-wipe', { backupId })).rejects.toThrow(/written/);
});

test('a damaged backup is refused before anything is written', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  await wipe();
  const { path } = stack.db.$client.prepare('SELECT path FROM wipe_backups').get() as { path: string };
  const bytes = readFileSync(path);
  bytes[bytes.length - 10] = 0xaa;
  writeFileSync(path, bytes);
  const backupId = shown().wiped?.backupId ?? '';
  await expect(stack.operations.preview('drive.restore-wipe', { backupId })).rejects.toThrow(/damaged/);
  expect(signatures(first().path)).toBe('');
});

test('an empty, a mounted and a protected drive are refused, with the reason', async () => {
  await reread();
  const request = { driveId: first().id };
  await expect(stack.operations.preview('drive.wipe', request)).rejects.toMatchObject({
    code: 'drive_blank',
  });
  const [place] = fill();
  await reread();
  stack.drives.protect(first().id, true);
  await expect(stack.operations.preview('drive.wipe', request)).rejects.toMatchObject({
    code: 'drive_protected',
  });
  stack.drives.protect(first().id, false);
  tool('/usr/bin/mount', `${first().path}p1`, place?.at ?? '');
  await reread();
  await expect(stack.operations.preview('drive.wipe', request)).rejects.toMatchObject({
    code: 'drive_in_use',
  });
  tool('/usr/bin/umount', place?.at ?? '');
  expect(existsSync(join(stack.config.dataDir, 'wiped'))).toBe(false);
});

test('a wipe that is not confirmed does not happen', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', first().path);
  await reread();
  await expect(
    stack.operations.start({ kind: 'drive.wipe', request: { driveId: first().id }, actor: TESTER }),
  ).rejects.toMatchObject({ code: 'confirm_required' });
  expect(signatures(first().path)).toBe('ext4');
});

function writeAt(path: string, pieces: { offset: number; bytes: Buffer }[]): void {
  const drive = openSync(path, 'r+');
  for (const { offset, bytes } of pieces) writeSync(drive, bytes, 0, bytes.length, offset);
  closeSync(drive);
}

/** Uberblocks in all four labels of a pool's member: two at its beginning, two at its end (vdev_label.c). */
function makeZfsLabels(path: string): void {
  const KiB = 1024;
  const uberblock = Buffer.alloc(KiB);
  uberblock.writeBigUInt64LE(0x00bab10cn, 0);
  uberblock.writeBigUInt64LE(5_000n, 8);
  const labels = [0, 256 * KiB, DRIVE_BYTES - 512 * KiB, DRIVE_BYTES - 256 * KiB];
  writeAt(
    path,
    labels.flatMap((label) =>
      Array.from({ length: 8 }, (_, index) => ({ offset: label + (128 + index) * KiB, bytes: uberblock })),
    ),
  );
}

/** A superblock of version 1.0, which lies at the end (md_p.h). */
function makeMdSuperblock(path: string): void {
  const sector = (DRIVE_BYTES / 512 - 16) & ~7;
  const superblock = Buffer.alloc(512);
  superblock.writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  superblock.fill(0x5a, 16, 32);
  superblock.write('nas:tank', 32);
  superblock.writeUInt32LE(1, 72);
  superblock.writeUInt32LE(2, 92);
  superblock.writeBigUInt64LE(BigInt(sector), 144);
  writeAt(path, [{ offset: sector * 512, bytes: superblock }]);
}

test('what was saved is kept for a month, and its record says that it was removed then', async () => {
  fill();
  expect((await wipe()).state).toBe('succeeded');
  const saved = join(stack.config.dataDir, 'wiped');
  expect(readdirSync(saved)).toHaveLength(1);
  const { backupId = '' } = shown().wiped ?? {};
  const day = 86_400_000;
  let now = Date.now() + 29 * day;
  const expire = createWipeExpiry({
    ...stack,
    clock: { now: () => now, elapsed: () => performance.now() },
    log: createLog('silent'),
  });
  expire();
  expect(readdirSync(saved)).toHaveLength(1);
  expect(shown().wiped?.why).toBeNull();
  now += 2 * day;
  expire();
  expect(readdirSync(saved)).toEqual([]);
  expect(stack.feed.get('drives', first().id)?.wiped).toMatchObject({
    ...{ backupId, why: 'What was saved was kept for its time, and then removed.' },
  });
  await expect(run('drive.restore-wipe', { backupId })).rejects.toMatchObject({
    code: 'wipe_not_restorable',
  });
});
