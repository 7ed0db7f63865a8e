import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoopDrive } from '../support/loop-drives';
import { createStorageStack, type StorageStack } from '../support/storage-stack';

const MIB = 1024 ** 2;
const BTRFS = '/usr/bin/btrfs';
const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8' });
const signaturesOn = (path: string): string => tool('/usr/sbin/wipefs', '--no-act', '--', path).trim();
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 4, driveBytes: 768 * MIB });
});
afterEach(() => stack.close());

function drive(index: number): LoopDrive {
  const found = stack.loops.drives[index];
  if (!found) throw new Error(`no drive ${index}`);
  return found;
}
async function resize(index: number, sizeBytes: number): Promise<void> {
  truncateSync(drive(index).file, sizeBytes);
  tool('/usr/sbin/losetup', '--set-capacity', drive(index).path);
  await stack.drives.refresh();
}
const serial = (index: number) => ({ serial: drive(index).serial });

/** A pool on the first drives, with a file of random bytes on it. */
async function poolOn(layout: string, count: number, megabytes = 48) {
  const { guid, operation } = await stack.create({
    ...{ label: 'tank', plugin: 'btrfs', layout },
    drives: Array.from({ length: count }, (_, index) => serial(index)),
  });
  expect(operation.error).toBeNull();
  const { mountPath } = stack.pools.get(guid);
  const file = join(mountPath, 'data.bin');
  writeFileSync(file, randomBytes(megabytes * MIB));
  tool('/usr/bin/sync', '--file-system', file);
  const sum = sha256(file);
  const memberSerials = (): (string | null)[] => stack.pools.get(guid).members.map((member) => member.serial);
  const identity = () =>
    JSON.parse(readFileSync(join(mountPath, '.cairn', 'pool.json'), 'utf8')) as {
      drives: { slot: number; serial: string }[];
    };
  const expectWell = (): void => {
    expect(stack.pools.get(guid)).toMatchObject({
      ...{ state: 'ready', poolStatus: 'active', health: 'healthy', healthText: null, work: [] },
    });
    expect(identity().drives.map((one) => one.serial)).toEqual(memberSerials());
    expect(sha256(file)).toBe(sum);
  };
  return { guid, mountPath, file, sum, memberSerials, expectWell };
}
async function unplug(guid: string, index: number): Promise<void> {
  expect((await stack.run('pool.unmount', { poolGroupGuid: guid })).error).toBeNull();
  stack.loops.detach(drive(index));
  await stack.drives.refresh();
  expect((await stack.run('pool.mount', { poolGroupGuid: guid })).error).toBeNull();
}
const profilesOf = (mountPath: string): string[] =>
  tool(BTRFS, 'filesystem', 'df', mountPath)
    .split('\n')
    .filter((line) => /^(Data|Metadata|System)/.test(line))
    .map((line) => line.split(':')[0] ?? '');

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 40_000; !(await isSo()); await sleep(50))
    if (Date.now() > end) throw new Error(`${what}: not within 40 s`);
}
describe('a btrfs pool that grows', () => {
  it('takes one more drive, with content that is erased only when confirmed, and uses its space', async () => {
    const pool = await poolOn('raid1', 2);
    const before = stack.pools.get(pool.guid).sizeBytes ?? 0;
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'old', drive(2).path);
    await stack.drives.refresh();
    const request = { verb: 'expand' as const, poolGroupGuid: pool.guid, drives: [serial(2)] };
    await expect(stack.run('pool.expand', { ...request, drives: [serial(2)] })).rejects.toMatchObject({
      code: 'confirm_required',
    });
    const operation = await stack.change(request);
    expect(operation.error).toBeNull();
    expect(pool.memberSerials()).toEqual([0, 1, 2].map((index) => drive(index).serial));
    expect(stack.pools.get(pool.guid).sizeBytes).toBeGreaterThan(before * 1.3);
    pool.expectWell();
    const balance = await stack.change({ verb: 'start-balance', poolGroupGuid: pool.guid });
    expect(balance.error).toBeNull();
    await until('the balance ends', async () => {
      await stack.pools.refresh();
      return stack.pools.get(pool.guid).work.length === 0;
    });
    pool.expectWell();
    expect((await stack.remove(pool.guid)).error).toBeNull();
    for (const index of [0, 1, 2]) expect(signaturesOn(drive(index).path)).toBe('');
  });

  it('keeps metadata on both drives when a single drive gets a second one, and on the one that stays', async () => {
    const pool = await poolOn('single', 1);
    expect(profilesOf(pool.mountPath)).toContain('Metadata, DUP');
    const grown = await stack.change({ verb: 'expand', poolGroupGuid: pool.guid, drives: [serial(1)] });
    expect(grown.error).toBeNull();
    expect(profilesOf(pool.mountPath)).toEqual(['Data, single', 'System, RAID1', 'Metadata, RAID1']);
    pool.expectWell();
    const shrunk = await stack.change({ verb: 'remove-drive', poolGroupGuid: pool.guid, member: serial(0) });
    expect(shrunk.error).toBeNull();
    expect(profilesOf(pool.mountPath)).toEqual(['Data, single', 'System, DUP', 'Metadata, DUP']);
    expect(pool.memberSerials()).toEqual([drive(1).serial]);
    expect(signaturesOn(drive(0).path)).toBe('');
    pool.expectWell();
  });
});

describe('a drive of a btrfs pool', () => {
  it('is replaced while the pool is in use, by a larger one that is used whole, and is blank afterwards', async () => {
    await resize(2, 1_024 * MIB);
    const pool = await poolOn('raid1', 2);
    const operation = await stack.change({
      ...{ verb: 'replace', poolGroupGuid: pool.guid },
      ...{ member: { slot: 1 }, drive: { ...serial(2), label: 'new bay' } },
    });
    expect(operation.error).toBeNull();
    expect(stack.pools.get(pool.guid).members).toMatchObject([
      { slot: 0, serial: drive(0).serial },
      { slot: 1, serial: drive(2).serial, label: 'new bay', status: 'active', sizeBytes: 1_024 * MIB },
    ]);
    expect(tool(BTRFS, 'filesystem', 'show', '--raw', pool.mountPath)).toMatch(
      new RegExp(`devid +2 size ${1_024 * MIB} .* ${drive(2).path}`),
    );
    expect(signaturesOn(drive(1).path)).toBe('');
    await stack.drives.refresh();
    expect(stack.drives.find(drive(1).serial)).toMatchObject({ group: 'free', issues: [] });
    pool.expectWell();
    expect((await stack.run('pool.unmount', { poolGroupGuid: pool.guid })).error).toBeNull();
    expect((await stack.run('pool.mount', { poolGroupGuid: pool.guid })).error).toBeNull();
    pool.expectWell();
  });

  it('is refused a smaller successor by name before anything is touched', async () => {
    const pool = await poolOn('raid1', 2);
    await resize(2, 512 * MIB);
    await expect(
      stack.change({ verb: 'replace', poolGroupGuid: pool.guid, member: serial(1), drive: serial(2) }),
    ).rejects.toMatchObject({
      code: 'replacement_too_small',
      message: expect.stringContaining(drive(2).serial),
    });
    expect(signaturesOn(drive(2).path)).toBe('');
    pool.expectWell();
  });

  it('that is missing is replaced, and what was written meanwhile is kept twice again', async () => {
    const pool = await poolOn('raid1', 2);
    await unplug(pool.guid, 1);
    expect(stack.pools.get(pool.guid)).toMatchObject({ poolStatus: 'degraded', health: 'critical' });
    const late = join(pool.mountPath, 'late.bin');
    writeFileSync(late, randomBytes(96 * MIB));
    tool('/usr/bin/sync', '--file-system', late);
    const sum = sha256(late);
    expect(profilesOf(pool.mountPath).join()).toContain('single');
    const operation = await stack.change({
      ...{ verb: 'replace', poolGroupGuid: pool.guid },
      ...{ member: serial(1), drive: serial(2) },
    });
    expect(operation.error).toBeNull();
    expect(profilesOf(pool.mountPath)).toEqual(['Data, RAID1', 'System, RAID1', 'Metadata, RAID1']);
    expect(pool.memberSerials()).toEqual([drive(0).serial, drive(2).serial]);
    pool.expectWell();
    expect(sha256(late)).toBe(sum);
    stack.loops.attach(drive(1));
    await stack.drives.refresh();
    expect(stack.drives.find(drive(1).serial)).toMatchObject({ group: 'set-aside' });
    expect(signaturesOn(drive(1).path)).toContain('btrfs');
  });

  it('leaves when its content is on the others, and is refused to leave a full or too small pool', async () => {
    const pool = await poolOn('raid1', 3);
    const operation = await stack.change({
      ...{ verb: 'remove-drive', poolGroupGuid: pool.guid, member: serial(1) },
    });
    expect(operation.error).toBeNull();
    expect(pool.memberSerials()).toEqual([drive(0).serial, drive(2).serial]);
    expect(signaturesOn(drive(1).path)).toBe('');
    pool.expectWell();
    expect(stack.pools.get(pool.guid).verbs['remove-drive']).toMatchObject({
      allowed: false,
      why: expect.stringContaining('at least 2'),
    });
    await expect(
      stack.change({ verb: 'remove-drive', poolGroupGuid: pool.guid, member: serial(0) }),
    ).rejects.toMatchObject({ code: 'pool_wrong_state' });
    const back = await stack.change({ verb: 'expand', poolGroupGuid: pool.guid, drives: [serial(1)] });
    expect(back.error).toBeNull();
    expect(stack.pools.get(pool.guid).members.map(({ slot }) => slot)).toEqual([0, 2, 3]);
    pool.expectWell();
    const next = await stack.change({
      ...{ verb: 'replace', poolGroupGuid: pool.guid },
      ...{ member: serial(1), drive: serial(3) },
    });
    expect(next.error).toBeNull();
    pool.expectWell();
  });
});

describe('a scrub of a btrfs pool', () => {
  it('finds and mends a damaged copy, and the pool tells of it', async () => {
    const pool = await poolOn('raid1', 2, 0);
    const file = join(pool.mountPath, 'marked.bin');
    const mark = randomBytes(4096);
    writeFileSync(file, Buffer.concat(Array.from({ length: 64 }, () => mark)));
    const sum = sha256(file);
    expect((await stack.run('pool.unmount', { poolGroupGuid: pool.guid })).error).toBeNull();
    const image = readFileSync(drive(1).file);
    const at = image.indexOf(mark);
    expect(at).toBeGreaterThan(0);
    const node = openSync(drive(1).path, 'r+');
    writeSync(node, Buffer.alloc(4096, 7), 0, 4096, at);
    fsyncSync(node);
    closeSync(node);
    expect((await stack.run('pool.mount', { poolGroupGuid: pool.guid })).error).toBeNull();
    expect(stack.pools.get(pool.guid).lastScrub).toBeNull();
    expect((await stack.change({ verb: 'start-scrub', poolGroupGuid: pool.guid })).error).toBeNull();
    await until('the scrub has ended', async () => {
      await stack.pools.refresh();
      return stack.pools.get(pool.guid).lastScrub !== null;
    });
    expect(stack.pools.get(pool.guid).lastScrub).toMatchObject({
      ...{ state: 'finished', errors: 1, uncorrectable: 0 },
    });
    expect(stack.pools.get(pool.guid).members[1]).toMatchObject({
      status: 'faulty',
      detail: expect.stringContaining('corruption'),
    });
    expect(sha256(file)).toBe(sum);
    tool(BTRFS, 'scrub', 'start', '-B', pool.mountPath);
    await stack.pools.refresh();
    expect(stack.pools.get(pool.guid).lastScrub).toMatchObject({ errors: 0 });
    // Mended, and still shown as faulty: the counters stay until somebody clears them.
    expect(stack.pools.get(pool.guid)).toMatchObject({
      members: [{}, { status: 'faulty' }],
      verbs: { 'clear-errors': { allowed: true } },
    });
    const cleared = await stack.change({ verb: 'clear-errors', poolGroupGuid: pool.guid });
    expect(cleared).toMatchObject({ state: 'succeeded', error: null });
    const said = stack.operations.commands(cleared.id).flatMap(({ lines }) => lines.map(({ text }) => text));
    expect(said.join('\n')).toMatch(/corruption_errs +1$/m);
    expect(stack.pools.get(pool.guid)).toMatchObject({
      ...{ health: 'healthy', members: [{ status: 'active' }, { status: 'active', detail: null }] },
      verbs: { 'clear-errors': { allowed: false, why: 'None of its drives has counted errors.' } },
    });
    await expect(stack.change({ verb: 'clear-errors', poolGroupGuid: pool.guid })).rejects.toMatchObject({
      code: 'pool_wrong_state',
    });
  });

  it('is told also while another program reads the status of the scrub', async () => {
    const pool = await poolOn('raid1', 2, 0);
    tool(BTRFS, 'scrub', 'start', '-B', pool.mountPath);
    // As `btrfs scrub status` of a person in a shell does: it holds the record locked while it reads.
    const record = `/var/lib/btrfs/scrub.status.${pool.guid}`;
    const holder = spawn('/usr/bin/flock', ['--exclusive', record, '/bin/sh', '-c', 'echo held; sleep 1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const released = once(holder, 'exit');
    await once(holder.stdout, 'data');
    await stack.pools.refresh();
    expect(stack.pools.get(pool.guid)).toMatchObject({
      ...{ state: 'ready', health: 'healthy', lastScrub: { state: 'finished', errors: 0 } },
    });
    await released;
  });
});

describe('a pool that is released', () => {
  it('is forgotten with its data kept, and its drives can be mounted by hand', async () => {
    const pool = await poolOn('raid1', 2);
    const operation = await stack.change({ verb: 'release', poolGroupGuid: pool.guid });
    expect(operation.error).toBeNull();
    expect(stack.pools.list()).toEqual([]);
    expect(existsSync(pool.mountPath)).toBe(false);
    const where = join(stack.loops.directory, 'by-hand');
    tool('/usr/bin/mkdir', where);
    tool('/usr/bin/mount', '-t', 'btrfs', '-o', `device=${drive(1).path}`, drive(0).path, where);
    expect(sha256(join(where, 'data.bin'))).toBe(pool.sum);
    tool('/usr/bin/umount', where);
  });
});
