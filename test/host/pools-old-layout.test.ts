/** A btrfs pool of an earlier Cairn, with its files in the top level: everything about it goes on as before. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { adoptPool } from '$lib/server/pools/adopt';
import { moveToTopLevel } from '../support/old-btrfs';
import { TESTER } from '../support/storage-stack';
import { createSnapshotStack, type SnapshotStack } from '../support/snapshot-stack';

let stack: SnapshotStack;
beforeEach(async () => {
  stack = await createSnapshotStack({ drives: 4 });
});
afterEach(() => stack.close());

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8' }).trim();
const serial = (index: number) => ({ serial: stack.loops.drives[index]?.serial ?? '' });
const serialsOf = (guid: string) => stack.pools.get(guid).members.map((member) => member.serial);

it('is mounted, grows, gets another drive, has snapshots, is released, adopted and removed', async () => {
  const { guid } = await stack.create({
    ...{ label: 'old', plugin: 'btrfs', layout: 'raid1' },
    drives: [serial(0), serial(1)],
  });
  await moveToTopLevel(stack, guid);
  const at = stack.pools.get(guid).mountPath;
  const letter = join(at, 'letter');
  writeFileSync(letter, 'kept');
  expect(tool('/usr/bin/btrfs', 'subvolume', 'list', at)).toBe('');
  const expectWell = (): void => {
    expect(stack.pools.get(guid)).toMatchObject({ state: 'ready', mounted: true, health: 'healthy' });
    expect(readFileSync(letter, 'utf8')).toBe('kept');
    expect(tool('/usr/bin/btrfs', 'inspect-internal', 'rootid', at)).toBe('5');
  };
  expectWell();

  expect((await stack.run('pool.unmount', { poolGroupGuid: guid })).error).toBeNull();
  expect(readdirSync(at)).toEqual([]);
  expect((await stack.run('pool.mount', { poolGroupGuid: guid })).error).toBeNull();
  expectWell();

  const grown = await stack.change({ verb: 'expand', poolGroupGuid: guid, drives: [serial(2)] });
  expect(grown.error).toBeNull();
  expectWell();
  const replaced = await stack.change({
    ...{ verb: 'replace', poolGroupGuid: guid },
    ...{ member: { slot: 1 }, drive: serial(3) },
  });
  expect(replaced.error).toBeNull();
  expect(serialsOf(guid)).toEqual([0, 3, 2].map((index) => serial(index).serial));
  expectWell();
  expect((await stack.run('pool.rename', { poolGroupGuid: guid, label: 'older' })).error).toBeNull();
  expect(await stack.take(guid, 'one')).toMatchObject({ state: 'succeeded' });
  expectWell();

  expect((await stack.change({ verb: 'release', poolGroupGuid: guid })).error).toBeNull();
  await stack.drives.refresh();
  await stack.found.refresh(true);
  const [found] = stack.found.list();
  expect(found).toMatchObject({ guid, byCairn: false, obstacle: null });
  const asked = await adoptPool(stack, { found: found?.id ?? '', label: 'older' }, TESTER);
  expect((await stack.operations.wait(asked.id)).error).toBeNull();
  await stack.pools.refresh();
  expect(stack.pools.get(guid).mountPath).toBe(at.replace(/[^/]+$/, 'older'));
  expect(readFileSync(join(stack.pools.get(guid).mountPath, 'letter'), 'utf8')).toBe('kept');
  expect(readFileSync(join(stack.pools.get(guid).mountPath, '.snapshots/one/letter'), 'utf8')).toBe('kept');
  expect(await stack.names(guid)).toEqual(['one']);

  expect((await stack.remove(guid)).error).toBeNull();
  for (const { path } of stack.loops.drives)
    expect(tool('/usr/sbin/wipefs', '--no-act', '--', path)).toBe('');
});
