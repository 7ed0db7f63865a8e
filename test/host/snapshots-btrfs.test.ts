/** Snapshots of btrfs pools on real drives: taken, looked into, gone back to, removed, and made by the clock. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { looks, type Step } from '$lib/plugin-api/plan';
import { pools as poolTable } from '$lib/server/db/schema';
import { usesLock } from '$lib/server/operations/locks';
import type { Prepared } from '$lib/server/operations/types';
import type { Operation } from '$lib/shared/wire/operations';
import { planOf } from '../support/engine';
import { moveToTopLevel } from '../support/old-btrfs';
import { createSnapshotStack, type SnapshotStack } from '../support/snapshot-stack';
import { TESTER } from '../support/storage-stack';

let stack: SnapshotStack;
beforeEach(async () => {
  stack = await createSnapshotStack({ drives: 2 });
});
afterEach(() => stack.close());

const HOUR_MS = 3_600_000;
const btrfs = (...argv: string[]): string => execFileSync('/usr/bin/btrfs', argv, { encoding: 'utf8' });

async function pool(label = 'photos'): Promise<{ guid: string; at: string }> {
  const drives = stack.loops.drives.map(({ serial }) => ({ serial }));
  const { guid, operation } = await stack.create({ label, plugin: 'btrfs', layout: 'raid1', drives });
  expect(operation.error).toBeNull();
  return { guid, at: stack.pools.get(guid).mountPath };
}
const succeeded = { state: 'succeeded' };

describe('a snapshot', () => {
  it('keeps what was there, is listed with who made it, and can be read but not written', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    expect(await stack.take(guid, 'before-upgrade')).toMatchObject(succeeded);
    writeFileSync(join(at, 'letter'), 'second');
    const { snapshots, rollBackWhy, createWhy } = await stack.snapshots.read(guid);
    expect({ rollBackWhy, createWhy }).toEqual({ rollBackWhy: null, createWhy: null });
    expect(snapshots).toMatchObject([
      { name: 'before-upgrade', origin: 'person', madeBy: 'tester', readOnly: true },
    ]);
    const [snapshot] = snapshots;
    expect(Math.abs((snapshot?.createdAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(readFileSync(join(snapshot?.path ?? '', 'letter'), 'utf8')).toBe('first');
    expect(() => writeFileSync(join(snapshot?.path ?? '', 'letter'), 'x')).toThrow(/EROFS/);
  });

  it('shows its folders, and never what a link in it leads to', async () => {
    const { guid, at } = await pool();
    mkdirSync(join(at, 'album', 'summer'), { recursive: true });
    writeFileSync(join(at, 'album', 'summer', 'beach'), 'sand');
    symlinkSync('/etc', join(at, 'outside'));
    await stack.take(guid, 'one');
    const root = await stack.snapshots.files(guid, 'one', '');
    expect(root.entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      ...['folder .cairn', 'folder .snapshots', 'folder album', 'link outside'],
    ]);
    const summer = await stack.snapshots.files(guid, 'one', 'album/summer');
    expect(summer.entries).toMatchObject([{ name: 'beach', kind: 'file', sizeBytes: 4 }]);
    for (const path of ['outside', 'outside/ssh', '../..', 'album/../../..', 'album/summer/beach', 'none'])
      await expect(stack.snapshots.files(guid, 'one', path)).rejects.toMatchObject({
        code: 'snapshot_folder_unreadable',
      });
  });

  it('is measured: what only it still has would be free', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'film'), Buffer.alloc(8 * 1024 ** 2, 7));
    execFileSync('/usr/bin/sync');
    await stack.take(guid, 'with-film');
    execFileSync('/usr/bin/rm', [join(at, 'film')]);
    execFileSync('/usr/bin/sync');
    expect(await stack.snapshots.measure(guid, 'with-film')).toBeGreaterThanOrEqual(8 * 1024 ** 2);
  });

  it('is removed alone; the others and the files of now stay', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    await stack.take(guid, 'one');
    await stack.take(guid, 'two');
    expect(await stack.removeSnapshot(guid, 'one')).toMatchObject(succeeded);
    expect(await stack.names(guid)).toEqual(['two']);
    expect(readFileSync(join(at, '.snapshots/two/letter'), 'utf8')).toBe('first');
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('first');
  });

  it('with a name that is taken, reserved or odd is refused before anything is done', async () => {
    const { guid } = await pool();
    await stack.take(guid, 'one');
    const asked = stack.operations.page({ limit: 50 }).items.length;
    for (const [name, code] of [
      ['one', 'snapshot_name_taken'],
      ['auto-hourly-20261121-170000', 'snapshot_name_invalid'],
      ['../x', 'snapshot_name_invalid'],
      ['-r', 'snapshot_name_invalid'],
    ] as const)
      await expect(stack.take(guid, name)).rejects.toMatchObject({ issues: [{ code }] });
    await expect(stack.removeSnapshot(guid, 'none')).rejects.toMatchObject({ code: 'snapshot_not_found' });
    expect(stack.operations.page({ limit: 50 }).items).toHaveLength(asked);
  });

  it('does not take the place of a folder .snapshots that is the user’s', async () => {
    const { guid, at } = await pool();
    mkdirSync(join(at, '.snapshots'));
    writeFileSync(join(at, '.snapshots', 'mine'), 'x');
    await expect(stack.take(guid, 'one')).rejects.toMatchObject({
      code: 'not_supported',
      remedy: expect.stringContaining('Move or rename'),
    });
    expect(readFileSync(join(at, '.snapshots', 'mine'), 'utf8')).toBe('x');
  });
});

describe('a snapshot and other work on its pool', () => {
  /** Something that needs the pool to stay as it is for a minute, as a download into it does. */
  async function use(guid: string): Promise<Operation> {
    const [{ driveId, sizeBytes } = { driveId: '', sizeBytes: 0 }] = stack.pools.get(guid).members;
    const until = { drive: driveId, untilMs: Date.now() + 60_000 };
    const step: Step = {
      ...{ name: 'read', title: 'Read', undo: 'nothing', look: looks.blinked(driveId, until.untilMs) },
      run: { do: 'blink', ...until, sizeBytes: sizeBytes ?? 0, rotational: null },
    };
    const quiet = (): void => undefined;
    stack.operations.define({
      ...{ kind: 'test.use', onInterrupt: 'take-back', deadlineMs: 60_000 },
      prepare: (request) => Promise.resolve(request as unknown as Prepared),
      record: { begin: quiet, succeed: quiet, takenBack: quiet, needsYou: quiet },
    });
    const request = planOf([step], { locks: [usesLock(`pool:${guid}`)] });
    return stack.operations.start({ kind: 'test.use', request, actor: TESTER });
  }

  it('is taken and removed while the pool is only used; a roll back waits until it is not', async () => {
    const { guid } = await pool();
    const user = await use(guid);
    expect(await stack.take(guid, 'one')).toMatchObject(succeeded);
    expect(await stack.take(guid, 'two')).toMatchObject(succeeded);
    expect(await stack.removeSnapshot(guid, 'two')).toMatchObject(succeeded);
    await expect(stack.rollBack(guid, 'one')).rejects.toMatchObject({ code: 'locked' });
    stack.operations.cancel(user.id, TESTER);
    await stack.operations.wait(user.id);
    expect(await stack.rollBack(guid, 'one')).toMatchObject(succeeded);
  });
});

describe('a roll back', () => {
  it('brings back what was there, keeps what it replaces, and can itself be gone back from', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    await stack.take(guid, 'one');
    writeFileSync(join(at, 'letter'), 'second');
    writeFileSync(join(at, 'new'), 'only now');
    await stack.take(guid, 'two');
    expect(await stack.rollBack(guid, 'one')).toMatchObject(succeeded);
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('first');
    expect(existsSync(join(at, 'new'))).toBe(false);
    writeFileSync(join(at, 'after'), 'can be written');

    const { snapshots, rollBackWhy } = await stack.snapshots.read(guid);
    expect(rollBackWhy).toBeNull();
    expect(snapshots.map(({ origin, madeBy }) => `${origin} ${madeBy}`)).toEqual([
      ...['roll-back tester', 'person tester', 'person tester'],
    ]);
    const kept = snapshots[0];
    expect(kept).toMatchObject({ readOnly: true, name: expect.stringContaining('before-roll-back-') });
    expect(readFileSync(join(kept?.path ?? '', 'letter'), 'utf8')).toBe('second');
    expect(readFileSync(join(at, '.snapshots/two/new'), 'utf8')).toBe('only now');

    // And forward again, to what was put aside.
    stack.advance(5_000);
    expect(await stack.rollBack(guid, kept?.name ?? '')).toMatchObject(succeeded);
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('second');
    expect(readFileSync(join(at, 'new'), 'utf8')).toBe('only now');
    expect((await stack.names(guid)).length).toBe(4);
    // Each of them can be removed; the pool then is what it is now, and nothing else is left on the drives.
    for (const name of await stack.names(guid))
      expect(await stack.removeSnapshot(guid, name)).toMatchObject(succeeded);
    expect(await stack.names(guid)).toEqual([]);
    expect(readFileSync(join(at, 'new'), 'utf8')).toBe('only now');
    expect(btrfs('subvolume', 'list', at).trim().split('\n')).toHaveLength(2);
  });

  it('leaves the pool with the name and members of now, mounted again after a restart', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    await stack.take(guid, 'one');
    await stack.run('pool.rename', { poolGroupGuid: guid, label: 'pictures' });
    expect(await stack.rollBack(guid, 'one')).toMatchObject(succeeded);
    expect(JSON.parse(readFileSync(join(at, '.cairn/pool.json'), 'utf8'))).toMatchObject({
      label: 'pictures',
    });
    writeFileSync(join(at, 'letter'), 'third');
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    expect(await stack.run('pool.mount', { poolGroupGuid: guid })).toMatchObject(succeeded);
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('third');
    expect(stack.pools.get(guid)).toMatchObject({ mounted: true, health: 'healthy' });
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });

  it('waits for a program of ours that looks at the pool for a moment', async () => {
    const { guid, at } = await pool();
    await stack.take(guid, 'one');
    spawn('/usr/bin/sleep', ['0.4'], { cwd: at });
    expect(await stack.rollBack(guid, 'one')).toMatchObject(succeeded);
  });

  it('goes on when somebody else looks at the pool for a moment just as it is unmounted', async () => {
    const { guid, at } = await pool();
    await stack.take(guid, 'one');
    let looked = false;
    const end = stack.bus.on('operation.changed', ({ id }) => {
      const { kind, steps } = stack.operations.get(id);
      if (looked || kind !== 'pool.snapshot.roll-back') return;
      if (!steps.some(({ name, state }) => name === 'copy-snapshot' && state === 'done')) return;
      looked = true;
      spawn('/usr/bin/sleep', ['0.7'], { cwd: at });
    });
    const operation = await stack.rollBack(guid, 'one');
    end();
    expect(operation).toMatchObject(succeeded);
    expect(looked).toBe(true);
    const tries = stack.operations.outputs(operation.id, {}).filter(({ text }) => text.includes('busy'));
    expect(tries.length).toBeGreaterThan(0);
  });

  it('is refused while programs use the pool, and names them', async () => {
    const { guid, at } = await pool();
    await stack.take(guid, 'one');
    const user = spawn('/usr/bin/sleep', ['60'], { cwd: at });
    try {
      await new Promise((resolve) => user.once('spawn', resolve));
      await expect(stack.rollBack(guid, 'one')).rejects.toMatchObject({
        code: 'pool_in_use',
        message: expect.stringContaining('sleep'),
      });
      expect(stack.pools.get(guid).mounted).toBe(true);
    } finally {
      user.kill('SIGKILL');
      await new Promise((resolve) => user.once('exit', resolve));
    }
  });

  it('is refused when subvolumes that no snapshot holds would stay behind', async () => {
    const { guid, at } = await pool();
    await stack.take(guid, 'one');
    btrfs('subvolume', 'create', join(at, 'docker'));
    await expect(stack.rollBack(guid, 'one')).rejects.toMatchObject({
      code: 'not_supported',
      remedy: expect.stringContaining('docker'),
    });
    expect((await stack.snapshots.read(guid)).rollBackWhy).toContain('docker');
  });
});

describe('a roll back that meets what it did not expect', () => {
  /** The top level, beside the pool. */
  async function inTopLevel(work: (top: string) => Promise<void>): Promise<void> {
    const top = join(stack.loops.directory, 'top');
    mkdirSync(top);
    const [first, second] = stack.loops.drives;
    const members = `device=${first?.path},device=${second?.path}`;
    execFileSync('/usr/bin/mount', ['-o', `subvolid=5,${members}`, '--', first?.path ?? '', top]);
    try {
      await work(top);
    } finally {
      execFileSync('/usr/bin/umount', ['--', top]);
      rmdirSync(top);
    }
  }

  it('uses no copy that another one left behind, and changes nothing', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    await stack.take(guid, 'one');
    writeFileSync(join(at, 'letter'), 'second');
    await stack.take(guid, 'two');
    writeFileSync(join(at, 'letter'), 'third');
    await inTopLevel(async (top) => {
      btrfs('subvolume', 'snapshot', join(top, 'data/.snapshots/two'), join(top, 'next'));
      const ended = await stack.rollBack(guid, 'one');
      expect(ended).toMatchObject({ state: 'failed', error: { code: 'foreign_state' } });
      expect(readFileSync(join(top, 'next/letter'), 'utf8')).toBe('second');
    });
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('third');
    expect(stack.pools.get(guid)).toMatchObject({ mounted: true, health: 'healthy' });
    expect(await stack.names(guid)).toEqual(['two', 'one']);
  });

  it('takes no subvolume of the top level for one of the pool', async () => {
    const { guid, at } = await pool();
    writeFileSync(join(at, 'letter'), 'first');
    await inTopLevel(async (top) => {
      btrfs('subvolume', 'create', join(top, '.snapshots'));
      btrfs('subvolume', 'create', join(top, '.snapshots/one'));
      expect(await stack.take(guid, 'one')).toMatchObject(succeeded);
      expect(readFileSync(join(at, '.snapshots/one/letter'), 'utf8')).toBe('first');
      expect(await stack.removeSnapshot(guid, 'one')).toMatchObject(succeeded);
      expect(existsSync(join(top, '.snapshots/one'))).toBe(true);
    });
  });
});

describe('a pool whose files lie in the top level', () => {
  it('goes on working: snapshots are taken, read and removed; a roll back is refused with what to do', async () => {
    const { guid, at } = await pool('old');
    await moveToTopLevel(stack, guid);
    writeFileSync(join(at, 'family'), 'here');
    expect(await stack.take(guid, 'one')).toMatchObject(succeeded);
    writeFileSync(join(at, 'family'), 'changed');
    expect(readFileSync(join(at, '.snapshots/one/family'), 'utf8')).toBe('here');
    await expect(stack.rollBack(guid, 'one')).rejects.toMatchObject({
      code: 'not_supported',
      remedy: expect.stringContaining('Copy what you need'),
    });
    expect(readFileSync(join(at, 'family'), 'utf8')).toBe('changed');
    expect(await stack.removeSnapshot(guid, 'one')).toMatchObject(succeeded);
    expect(await stack.names(guid)).toEqual([]);
  });
});

describe('a schedule', () => {
  const hourly = { tier: 'hourly', keep: 2, enabled: true } as const;
  const timing = { minute: 0, hour: 3, weekday: 0, day: 1 };

  it('takes one when its time has come, keeps so many, and leaves alone what a person took', async () => {
    const { guid } = await pool();
    await stack.take(guid, 'by-hand');
    stack.snapshots.schedule(guid, { ...hourly, timing });
    await stack.scheduler.tick();
    expect(await stack.names(guid)).toEqual(['by-hand']);
    for (let hour = 0; hour < 4; hour += 1) {
      stack.advance(HOUR_MS);
      await stack.scheduler.tick();
      await stack.scheduler.tick();
    }
    const { snapshots, schedules } = await stack.snapshots.read(guid);
    expect(snapshots.map(({ origin }) => origin)).toEqual(['schedule', 'schedule', 'person']);
    expect(schedules).toMatchObject([{ lastError: null, text: 'Every hour, on the hour' }]);
    expect(schedules[0]?.nextRunAt).toBeGreaterThan(stack.now());
  });

  it('removes neither what is protected nor what it has no record of, whatever the names', async () => {
    const { guid, at } = await pool();
    stack.snapshots.schedule(guid, { ...hourly, keep: 1, timing });
    stack.advance(HOUR_MS);
    await stack.scheduler.tick();
    const [first = ''] = await stack.names(guid);
    // In a shell, under a name that a schedule would give.
    const alike = 'auto-hourly-20200101-000000';
    btrfs('subvolume', 'snapshot', '-r', at, join(at, '.snapshots', alike));
    await stack.snapshots.protect(guid, first, true);
    for (let hour = 0; hour < 3; hour += 1) {
      stack.advance(HOUR_MS);
      await stack.scheduler.tick();
    }
    const { snapshots } = await stack.snapshots.read(guid);
    expect(snapshots.map((one) => `${one.origin} ${one.protected}`)).toEqual([
      ...['schedule false', 'schedule true', 'outside false'],
    ]);
    await expect(stack.removeSnapshot(guid, first)).rejects.toMatchObject({ code: 'snapshot_protected' });
    await stack.snapshots.protect(guid, first, false);
    expect(await stack.removeSnapshot(guid, first)).toMatchObject(succeeded);
    expect(await stack.names(guid)).toContain(alike);
  });

  it('makes up for runs that it missed once, not once for each', async () => {
    const { guid } = await pool();
    stack.snapshots.schedule(guid, { ...hourly, keep: 50, timing });
    stack.advance(30 * HOUR_MS);
    await stack.scheduler.tick();
    await stack.scheduler.tick();
    expect(await stack.names(guid)).toHaveLength(1);
  });

  it('says why it failed, and that it is over with the next one that succeeds', async () => {
    const { guid, at } = await pool();
    stack.snapshots.schedule(guid, { ...hourly, timing });
    execFileSync('/usr/bin/umount', ['--', at]);
    stack.advance(HOUR_MS);
    await stack.scheduler.tick();
    expect(stack.snapshots.list()[0]?.schedules[0]?.lastError).toContain('not mounted');
    await stack.run('pool.mount', { poolGroupGuid: guid });
    // It is made up for at once, as after a start whose first minute came before the mount.
    await stack.scheduler.tick();
    expect((await stack.snapshots.read(guid)).schedules[0]?.lastError).toBeNull();
    expect(await stack.names(guid)).toHaveLength(1);
  });

  it('waits for another operation on its pool instead of failing, and skips one that was unmounted', async () => {
    const { guid } = await pool();
    stack.snapshots.schedule(guid, { ...hourly, timing });
    stack.advance(HOUR_MS);
    const other = await stack.operations.start({
      kind: 'pool.rename',
      request: { poolGroupGuid: guid, label: 'meanwhile' },
      actor: { kind: 'user', id: 'u', name: 'u', role: 'admin', sessionId: null },
    });
    await stack.scheduler.tick();
    expect(stack.snapshots.list()[0]?.schedules[0]?.lastError).toBeNull();
    await stack.operations.wait(other.id);
    await stack.scheduler.tick();
    expect((await stack.names(guid)).filter((name) => name.startsWith('auto-'))).toHaveLength(1);

    stack.db.update(poolTable).set({ state: 'unmounted' }).where(eq(poolTable.guid, guid)).run();
    stack.advance(HOUR_MS);
    await stack.scheduler.tick();
    expect(stack.snapshots.list()[0]?.schedules[0]?.lastError).toBeNull();
    stack.db.update(poolTable).set({ state: 'ready' }).where(eq(poolTable.guid, guid)).run();
  });
});
