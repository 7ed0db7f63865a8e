/** What happens to pools behind Cairn's back, on real drives: seen, said to be from outside, compared, mended. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pageEvents } from '$lib/server/pools/history-store';
import { mendDifference } from '$lib/server/pools/mend';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 2, driveBytes: 400 * 1024 ** 2 });
});
afterEach(() => stack.close());

const texts = (guid: string): string[] =>
  pageEvents(stack.db, guid, { before: null, limit: 50 })
    .filter((event) => event.kind === 'outside')
    .map((event) => event.text);
async function look(): Promise<void> {
  await stack.drives.refresh();
  await stack.found.refresh(true);
}
const makePool = (index: number, label: string) =>
  stack.create({
    ...{ label, plugin: 'single-drive', layout: 'single', options: { partition: false } },
    drives: [{ serial: stack.loops.drives[index]?.serial ?? '' }],
  });
const pathOf = (index: number): string => stack.loops.drives[index]?.path ?? '';
const kinds = async (): Promise<string[]> =>
  (await stack.validate.check()).differences.map((difference) => difference.kind);

describe('a pool that something else than Cairn works on', () => {
  it('is seen unmounted within moments, is said to be so by its history, and is mounted again by a mend', async () => {
    const { guid } = await makePool(0, 'tank');
    await look();
    expect(await kinds()).toEqual([]);
    const { mountPath } = stack.pools.get(guid);
    tool('/usr/bin/umount', mountPath);
    await vi.waitFor(
      () => expect(texts(guid)).toEqual([expect.stringMatching(/was unmounted from .* by something else/)]),
      10_000,
    );
    const { differences } = await stack.validate.check(guid);
    expect(differences).toMatchObject([{ kind: 'not-mounted', mend: { operation: 'pool.mount' } }]);
    const asked = await mendDifference(stack, differences[0] as never, TESTER);
    expect((await stack.operations.wait(asked.id)).error).toBeNull();
    await look();
    expect(await kinds()).toEqual([]);
    expect(texts(guid)).toHaveLength(1);
  });

  it('that is unmounted, mounted and renamed by Cairn has no such history', async () => {
    const { guid } = await makePool(0, 'tank');
    await look();
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    await stack.run('pool.mount', { poolGroupGuid: guid });
    await stack.run('pool.rename', { poolGroupGuid: guid, label: 'Deep blue' });
    await look();
    expect(texts(guid)).toEqual([]);
    expect(await kinds()).toEqual([]);
  });

  it('is seen with another label, and takes it over when asked to', async () => {
    const { guid } = await makePool(0, 'tank');
    await look();
    tool('/usr/sbin/e2label', pathOf(0), 'lake');
    await look();
    expect(texts(guid)).toEqual([expect.stringContaining('from "tank" to "lake"')]);
    const { differences } = await stack.validate.check(guid);
    expect(differences).toMatchObject([{ kind: 'label', mend: { operation: 'pool.rename' } }]);
    const asked = await mendDifference(stack, differences[0] as never, TESTER);
    expect((await stack.operations.wait(asked.id)).error).toBeNull();
    expect(stack.pools.get(guid).label).toBe('lake');
    await look();
    expect(await kinds()).toEqual([]);
  });

  it('whose drive was given another filesystem is told apart from it, and only its record is offered to go', async () => {
    const { guid } = await makePool(0, 'tank');
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    await look();
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'other', pathOf(0));
    await look();
    expect(texts(guid)).toEqual([expect.stringContaining('SBX-TEST-01')]);
    const { differences } = await stack.validate.check(guid);
    expect(differences).toMatchObject([{ kind: 'other-content', mend: { operation: 'pool.release' } }]);
    expect(differences[0]?.text).toContain('ext4 "other"');
    expect(stack.found.list()).toMatchObject([{ label: 'other', verbs: { adopt: { allowed: false } } }]);
    expect(stack.found.list()[0]?.obstacle).toContain('"tank"');
    const asked = await mendDifference(stack, differences[0] as never, TESTER);
    expect((await stack.operations.wait(asked.id)).error).toBeNull();
    await look();
    expect(stack.pools.list()).toEqual([]);
    expect(stack.found.list()).toMatchObject([{ label: 'other', verbs: { adopt: { allowed: true } } }]);
  });

  it('is told where else it is mounted, and what lies on its mount path', async () => {
    const { guid } = await makePool(0, 'tank');
    const { mountPath } = stack.pools.get(guid);
    tool('/usr/bin/umount', mountPath);
    const elsewhere = join(stack.config.dataDir, 'elsewhere');
    mkdirSync(elsewhere);
    tool('/usr/bin/mount', pathOf(0), elsewhere);
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', pathOf(1));
    tool('/usr/bin/mount', pathOf(1), mountPath);
    await look();
    expect((await kinds()).toSorted()).toEqual(['mounted-elsewhere', 'path-occupied']);
    await expect(
      mendDifference(stack, { kind: 'not-mounted', poolGuid: guid, text: '' }, TESTER),
    ).rejects.toMatchObject({ code: 'found_not_found' });
  });
});

describe('what is left behind', () => {
  it('is an empty folder of Cairn, and goes when asked to; one with a file in it stays', async () => {
    const empty = join(stack.config.mountRoot, 'old');
    const full = join(stack.config.mountRoot, 'full', 'deep');
    mkdirSync(empty, { recursive: true });
    mkdirSync(full, { recursive: true });
    const { differences } = await stack.validate.check();
    expect(differences).toMatchObject([{ kind: 'leftover-folder', text: expect.stringContaining(empty) }]);
    const asked = await mendDifference(stack, differences[0] as never, TESTER);
    expect((await stack.operations.wait(asked.id)).error).toBeNull();
    expect(await kinds()).toEqual([]);
  });
});

describe('a pool that is made in a shell while Cairn runs', () => {
  it('gets a history that says where it came from', async () => {
    await look();
    tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'stray', pathOf(1));
    await look();
    const [found] = stack.found.list();
    expect(texts(found?.guid ?? '')).toEqual([expect.stringContaining('ext4 filesystem "stray"')]);
  });
});
