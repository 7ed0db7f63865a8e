/** Pools that others made, on real drives: found, looked into without a write, adopted, found again. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptAllByCairn, adoptPool } from '$lib/server/pools/adopt';
import { deletePool } from '$lib/server/pools/store';
import type { FoundPool } from '$lib/shared/wire/found';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 3, driveBytes: 400 * 1024 ** 2 });
});
afterEach(() => stack.close());

const pathOf = (index: number): string => stack.loops.drives[index]?.path ?? '';
const fileOf = (index: number): string => stack.loops.drives[index]?.file ?? '';

/** Puts a file into a filesystem the way another system would. */
function fill(path: string, ...options: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-fill-'));
  tool('/usr/bin/mount', ...options, '--', path, folder);
  try {
    writeFileSync(join(folder, 'letter.txt'), 'kept');
  } finally {
    tool('/usr/bin/umount', '--', folder);
    rmdirSync(folder);
  }
}
async function look(): Promise<FoundPool[]> {
  await stack.drives.refresh();
  await stack.found.refresh(true);
  return stack.found.list();
}
async function onlyOne(): Promise<FoundPool> {
  const found = await look();
  expect(found).toHaveLength(1);
  return found[0] as FoundPool;
}
async function adopted(wish: { found: string; label?: string; mountPath?: string }): Promise<string> {
  const asked = await adoptPool(stack, wish, TESTER);
  const ended = await stack.operations.wait(asked.id);
  expect(ended.error).toBeNull();
  await stack.pools.refresh();
  return ended.subject.id;
}

interface Case {
  title: string;
  drives: number;
  make: () => void;
  mountBy: () => string;
  expected: Partial<FoundPool>;
  device?: string[];
}
const partitioned = (kind: 'gpt' | 'dos'): void => {
  execFileSync('/usr/sbin/sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', pathOf(0)], {
    input: `label: ${kind}\nstart=2048\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  tool('/usr/bin/partx', '--update', pathOf(0));
};
const CASES: Case[] = [
  {
    title: 'ext4 on a whole drive',
    drives: 1,
    make: () => tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'photos', pathOf(0)),
    mountBy: () => pathOf(0),
    expected: { label: 'photos', options: { filesystem: 'ext4', partition: false }, plugin: 'single-drive' },
  },
  {
    title: 'ext4 in the only partition of a GPT',
    drives: 1,
    make: () => {
      partitioned('gpt');
      tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'photos', `${pathOf(0)}p1`);
    },
    mountBy: () => `${pathOf(0)}p1`,
    expected: { label: 'photos', options: { filesystem: 'ext4', partition: true }, plugin: 'single-drive' },
  },
  {
    title: 'XFS in the only partition of an MBR table, without a label',
    drives: 1,
    make: () => {
      partitioned('dos');
      tool('/usr/sbin/mkfs.xfs', '-q', '-f', `${pathOf(0)}p1`);
    },
    mountBy: () => `${pathOf(0)}p1`,
    expected: { label: '', options: { filesystem: 'xfs', partition: true }, plugin: 'single-drive' },
  },
  {
    title: 'btrfs raid1 over two drives',
    drives: 2,
    make: () =>
      tool(
        '/usr/sbin/mkfs.btrfs',
        '-q',
        '-f',
        '-L',
        'my tank',
        '-d',
        'raid1',
        '-m',
        'raid1',
        pathOf(0),
        pathOf(1),
      ),
    mountBy: () => pathOf(0),
    device: ['-o', 'device='],
    expected: { label: 'my tank', layout: 'raid1', plugin: 'btrfs' },
  },
];

describe('a pool that was made in a shell', () => {
  it.each(CASES)('$title is found, read without a write, adopted, and found again', async (one) => {
    one.make();
    const fillOptions = one.device ? ['-o', `device=${pathOf(0)},device=${pathOf(1)}`] : [];
    fill(one.mountBy(), ...fillOptions);
    const found = await onlyOne();
    expect(found).toMatchObject({
      ...one.expected,
      byCairn: false,
      obstacle: null,
      inside: null,
      mountedAt: null,
    });
    expect(found.members.map((member) => member.serial)).toEqual(
      stack.loops.drives.slice(0, one.drives).map((drive) => drive.serial),
    );
    expect(stack.feed.get('found', found.id)).toEqual(found);

    const before = stack.loops.drives.map((drive) => hashOf(drive.file));
    const peeked = await stack.run('pool.peek', { found: found.id });
    expect(peeked.error).toBeNull();
    expect(stack.loops.drives.map((drive) => hashOf(drive.file))).toEqual(before);
    const seen = stack.found.get(found.id);
    expect(seen.inside?.entries.map(({ name }) => name)).toContain('letter.txt');
    expect(seen.byCairn).toBe(false);
    expect(stack.host.mounts().some((mount) => mount.path.startsWith(stack.config.dataDir))).toBe(false);
    expect(existsSync(join(stack.config.dataDir, 'found', found.guid))).toBe(false);

    const guid = await adopted({ found: found.id });
    const pool = stack.pools.get(guid);
    expect(pool).toMatchObject({
      state: 'ready',
      mounted: true,
      health: 'healthy',
      label: found.suggested.label,
    });
    expect(readFileSync(join(pool.mountPath, 'letter.txt'), 'utf8')).toBe('kept');
    expect(JSON.parse(readFileSync(join(pool.mountPath, '.cairn', 'pool.json'), 'utf8'))).toMatchObject({
      guid,
    });
    expect(stack.found.list()).toEqual([]);

    await stack.run('pool.unmount', { poolGroupGuid: guid });
    expect((await stack.run('pool.mount', { poolGroupGuid: guid })).error).toBeNull();
    expect((await stack.change({ verb: 'release', poolGroupGuid: guid })).error).toBeNull();
    const again = await onlyOne();
    expect(again.id).toBe(found.id);
    expect(await adopted({ found: again.id, label: 'Again' })).toBe(guid);
    const removed = await stack.remove(guid);
    expect(removed.error).toBeNull();
    for (let index = 0; index < one.drives; index += 1)
      expect(tool('/usr/sbin/wipefs', '--no-act', '--', pathOf(index))).toBe('');
    expect(await look()).toEqual([]);
  });

  it('is left where it is mounted when it is adopted', async () => {
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'photos', pathOf(0));
    const folder = join(stack.config.mountRoot, 'elsewhere');
    tool('/usr/bin/mkdir', '-p', folder);
    tool('/usr/bin/mount', pathOf(0), folder);
    const found = await onlyOne();
    expect(found.mountedAt).toBe(folder);
    await expect(adoptPool(stack, { found: found.id, mountPath: `${folder}-2` }, TESTER)).rejects.toThrow(
      /mounted at/,
    );
    const guid = await adopted({ found: found.id });
    expect(stack.pools.get(guid)).toMatchObject({ mountPath: folder, mounted: true, state: 'ready' });
  });

  it('is refused when a copy of it is plugged in too, with the reason', async () => {
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'photos', pathOf(0));
    tool('/usr/sbin/mkfs.btrfs', '-q', '-f', '-L', 'b', pathOf(2));
    stack.loops.detach(stack.loops.drives[1] as never);
    copyFileSync(fileOf(0), fileOf(1));
    stack.loops.attach(stack.loops.drives[1] as never);
    const found = (await look()).filter((one) => one.label === 'photos');
    expect(found).toHaveLength(2);
    for (const one of found) {
      expect(one.verbs.adopt).toMatchObject({
        allowed: false,
        why: expect.stringMatching(/SBX-TEST-01 and SBX-TEST-02|SBX-TEST-02 and SBX-TEST-01/),
      });
      await expect(stack.run('pool.adopt', { found: one.id })).rejects.toMatchObject({
        code: 'found_obstacle',
      });
    }
  });

  it('with a copied btrfs member is refused, and nothing is mounted', async () => {
    tool('/usr/sbin/mkfs.btrfs', '-q', '-f', '-L', 'b', pathOf(0));
    stack.loops.detach(stack.loops.drives[1] as never);
    copyFileSync(fileOf(0), fileOf(1));
    stack.loops.attach(stack.loops.drives[1] as never);
    const found = await onlyOne();
    expect(found.obstacle).toMatch(/copy/);
    expect(found.verbs.peek.allowed).toBe(false);
  });

  it('with a missing member says which one, and can only be looked into', async () => {
    tool('/usr/sbin/mkfs.btrfs', '-q', '-f', '-L', 'b', '-d', 'raid1', '-m', 'raid1', pathOf(0), pathOf(1));
    stack.loops.detach(stack.loops.drives[1] as never);
    tool('/usr/bin/btrfs', 'device', 'scan', '--forget');
    const found = await onlyOne();
    expect(found.missing).toEqual([{ slot: 1, text: expect.stringContaining('device 2') }]);
    expect(found.verbs.adopt.allowed).toBe(false);
    const before = hashOf(fileOf(0));
    expect((await stack.run('pool.peek', { found: found.id })).error).toBeNull();
    expect(hashOf(fileOf(0))).toBe(before);
  });

  it('is left alone when the user says so, also after the drives were read again', async () => {
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', pathOf(0));
    const found = await onlyOne();
    stack.found.ignore(found.id, true);
    expect((await onlyOne()).ignored).toBe(true);
    expect(stack.found.ignore(found.id, false).ignored).toBe(false);
  });

  it('with a link in place of its identity folder is refused before anything is written through it', async () => {
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'trap', pathOf(0));
    const folder = mkdtempSync(join(tmpdir(), 'cairn-trap-'));
    const victim = mkdtempSync(join(tmpdir(), 'cairn-victim-'));
    tool('/usr/bin/mount', pathOf(0), folder);
    tool('/usr/bin/ln', '-s', victim, join(folder, '.cairn'));
    tool('/usr/bin/umount', folder);
    rmdirSync(folder);
    const found = await onlyOne();
    const asked = await adoptPool(stack, { found: found.id }, TESTER);
    const ended = await stack.operations.wait(asked.id);
    expect(ended.error?.code).toBe('foreign_state');
    expect(stack.pools.list()).toEqual([]);
    rmdirSync(victim); // still empty
  });
});

describe('a lost database', () => {
  it('is rebuilt from what the pools of Cairn say about themselves, with one request', async () => {
    const [a, b, c] = stack.loops.drives;
    const ext = await stack.create({
      ...{ label: 'Archive one', plugin: 'single-drive', layout: 'single' },
      drives: [{ serial: a?.serial ?? '', label: 'upper bay' }],
    });
    const mirror = await stack.create({
      ...{ label: 'Mirror', plugin: 'btrfs', layout: 'raid1', options: { compression: 'zstd' } },
      drives: [
        { serial: b?.serial ?? '', label: 'left' },
        { serial: c?.serial ?? '', label: 'right' },
      ],
    });
    const before = stack.pools.list();
    for (const { guid } of before) await stack.run('pool.unmount', { poolGroupGuid: guid });
    for (const { guid } of before) stack.db.transaction((tx) => deletePool(tx, guid));
    stack.bus.emit('pool.changed', { guid: '' });
    const found = await look();
    expect(found.map(({ guid }) => guid).sort()).toEqual([ext.guid, mirror.guid].sort());
    // The table of a partition tells it before anybody looks inside.
    expect(found.find(({ guid }) => guid === ext.guid)?.byCairn).toBe(true);

    const answers = await adoptAllByCairn(stack, TESTER);
    for (const answer of answers) {
      expect(answer.why).toBeNull();
      await stack.operations.wait(answer.operation?.id ?? '');
    }
    await stack.pools.refresh();
    const facts = (pools: typeof before) =>
      pools
        .map(({ guid, label, layout, options, mountPath, members, mounted }) => ({
          ...{ guid, label, layout, options, mountPath, mounted },
          members: members.map(({ slot, serial, label: name }) => ({ slot, serial, name })),
        }))
        .toSorted((x, y) => x.guid.localeCompare(y.guid));
    expect(facts(stack.pools.list())).toEqual(facts(before));
  });
});
