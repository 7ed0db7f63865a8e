import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool, removePool } from '$lib/server/pools/create';
import { restPool } from '$lib/server/pools/rest-shape';
import type { StepState } from '$lib/shared/states';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const signaturesOn = (path: string): string =>
  execFileSync('/usr/sbin/wipefs', ['--no-act', '--', path], { encoding: 'utf8' }).trim();

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 3 });
});
afterEach(() => stack.close());

/** Does something in the very turn in which a step is committed in a state, once. */
function whenStep(name: string, state: StepState, act: () => void): void {
  let done = false;
  stack.bus.on('operation.changed', ({ id }) => {
    if (done || !stack.operations.get(id).steps.some((step) => step.name === name && step.state === state))
      return;
    done = true;
    act();
  });
}

const serials = (count: number) => stack.loops.drives.slice(0, count).map(({ serial }) => ({ serial }));
const single = (label = 'tank') => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: serials(1),
});
const mirror = () => ({ label: 'tank', plugin: 'btrfs', layout: 'raid1', drives: serials(2) });

async function expectNothingLeft(label = 'tank'): Promise<void> {
  expect(stack.pools.list()).toEqual([]);
  expect(existsSync(join(stack.config.mountRoot, label))).toBe(false);
  for (const drive of stack.loops.drives) expect(signaturesOn(drive.path)).toBe('');
  await stack.drives.refresh();
  for (const drive of stack.loops.drives)
    expect(stack.drives.find(drive.serial)).toMatchObject({ group: 'free', issues: [], partitions: [] });
}

describe('a creation that fails', () => {
  it('leaves nothing behind and keeps its outputs when mkfs cannot write', async () => {
    const path = stack.loops.drives[0]?.path ?? '';
    const blockdev = (option: string): void => {
      for (const node of [path, `${path}p1`]) execFileSync('/usr/sbin/blockdev', [option, node]);
    };
    whenStep('make-filesystem', 'begun', () => blockdev('--setro'));
    whenStep('make-filesystem', 'failed', () => blockdev('--setrw'));
    const { guid, operation } = await stack.create(single());
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'command_failed' } });
    const outputs = stack.operations.commands(operation.id);
    expect(outputs.find((command) => command.step === 'make-filesystem')).toMatchObject({ exitCode: 1 });
    expect(restPool(stack.pools.getOrLast(guid))).toEqual({
      state: 'failed',
      errorMessage: operation.error?.message,
    });
    await expectNothingLeft();
  });

  it('leaves nothing behind when the mount fails', async () => {
    const path = stack.loops.drives[0]?.path ?? '';
    whenStep('mount', 'begun', () => {
      const node = openSync(`${path}p1`, 'r+');
      writeSync(node, Buffer.alloc(64 * 1024), 0, 64 * 1024, 0);
      fsyncSync(node);
      closeSync(node);
    });
    const { operation } = await stack.create(single());
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'command_failed' } });
    expect(operation.steps.find((step) => step.name === 'mount')?.state).toBe('undone');
    await expectNothingLeft();
  });

  it('cleans the drives that are still there when one is pulled in the middle', async () => {
    const pulled = stack.loops.drives[1];
    if (!pulled) throw new Error('no second drive');
    whenStep('make-filesystem', 'done', () => stack.loops.detach(pulled));
    const { operation } = await stack.create(mirror());
    expect(operation.state).toBe('failed');
    expect(stack.pools.list()).toEqual([]);
    expect(signaturesOn(stack.loops.drives[0]?.path ?? '')).toBe('');
    stack.loops.attach(pulled);
  });

  it('does not touch a drive that somebody formatted after the plan was made', async () => {
    const path = stack.loops.drives[0]?.path ?? '';
    whenStep('partition-drive', 'begun', () => {
      execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', 'precious', path]);
    });
    const { operation } = await stack.create(single());
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'foreign_state' } });
    expect(signaturesOn(path)).toContain('precious');
    expect(stack.pools.list()).toEqual([]);
  });
});

describe('what the kernel remembers', () => {
  it('does not keep a pool from being made: drives that are gone had a filesystem of the same GUID', async () => {
    const guid = crypto.randomUUID();
    const [, first, second] = stack.loops.drives;
    if (!first || !second) throw new Error('too few drives');
    execFileSync('/usr/sbin/mkfs.btrfs', ['-q', '-U', guid, '-d', 'raid1', first.path, second.path]);
    execFileSync('/usr/bin/btrfs', ['device', 'scan', first.path, second.path]);
    // Erased behind the kernel's back: it goes on listing both under the GUID.
    for (const { path } of [first, second]) {
      const node = openSync(path, 'r+');
      writeSync(node, Buffer.alloc(128 * 1024), 0, 128 * 1024, 0);
      fsyncSync(node);
      closeSync(node);
    }
    await stack.drives.refresh();
    const { operation } = await stack.create({
      ...{ label: 'tank', plugin: 'btrfs', layout: 'raid1', poolGroupGuid: guid },
      drives: [stack.loops.drives[0], second].map((drive) => ({ serial: drive?.serial ?? '' })),
    });
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    expect(stack.pools.get(guid)).toMatchObject({ mounted: true, health: 'healthy' });
    await stack.remove(guid);
    await expectNothingLeft();
  });
});

describe('a pool of one drive', () => {
  it('is known as itself when one of its GUID had more drives before', async () => {
    const guid = crypto.randomUUID();
    const [first, second] = serials(2);
    const request = { label: 'tank', plugin: 'btrfs', layout: 'single', poolGroupGuid: guid };
    const before = await stack.create({ ...request, drives: [first, second].flatMap((one) => one ?? []) });
    expect(before.operation.state).toBe('succeeded');
    await stack.remove(guid);
    // The kernel still has the second drive in mind, and mounts the first under a UUID of the moment (temp_fsid).
    const { operation } = await stack.create({ ...request, drives: [first].flatMap((one) => one ?? []) });
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    expect(stack.pools.get(guid)).toMatchObject({ mounted: true, health: 'healthy' });
    await stack.remove(guid);
    await expectNothingLeft();
  });
});

describe('a drive with content', () => {
  it('is erased with its partitions only after the confirm code of exactly this plan', async () => {
    const path = stack.loops.drives[0]?.path ?? '';
    execFileSync('/usr/sbin/sfdisk', ['-q', '--label', 'gpt', '--no-reread', '--no-tell-kernel', path], {
      input: 'size=100M\nsize=100M\n',
    });
    execFileSync('/usr/bin/partx', ['--add', path]);
    execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-L', 'photos', `${path}p2`]);
    await stack.drives.refresh();
    const poolGroupGuid = crypto.randomUUID();
    const request = { ...single(), poolGroupGuid };
    await expect(createPool(stack, request, { actor: TESTER })).rejects.toMatchObject({
      code: 'confirm_required',
    });
    const preview = await stack.operations.preview('pool.create', request);
    expect(preview.erases[0]?.content.join('\n')).toContain('ext4 "photos" on partition 2');
    expect(preview.confirmText).toBe('tank');

    const { operation, guid } = await stack.create(request);
    expect(operation.error).toBeNull();
    expect((await stack.remove(guid)).error).toBeNull();
    await expectNothingLeft();
  });
});

describe('requests that cross', () => {
  it('gives the same operation to the same request sent twice at once', async () => {
    const request = { ...mirror(), poolGroupGuid: crypto.randomUUID() };
    const ask = () => createPool(stack, request, { actor: TESTER });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toMatchObject({
      poolGroupGuid: first.poolGroupGuid,
      operation: { id: first.operation.id },
    });
    await stack.operations.wait(first.operation.id);
    expect((await ask()).operation.id).toBe(first.operation.id);
    await expect(createPool(stack, { ...request, label: 'other' }, { actor: TESTER })).rejects.toMatchObject({
      code: 'guid_conflict',
    });
    expect((await stack.remove(first.poolGroupGuid)).state).toBe('succeeded');
  });

  it('lets one of two pools have a drive that both want', async () => {
    const asked = await Promise.allSettled([
      createPool(stack, single('one'), { actor: TESTER }),
      createPool(stack, single('two'), { actor: TESTER }),
    ]);
    const won = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const lost = asked.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
    expect(won).toHaveLength(1);
    expect(['locked', 'drive_in_pool', 'invalid_input']).toContain(lost[0]);
    const guid = won[0]?.poolGroupGuid ?? '';
    await stack.operations.wait(won[0]?.operation.id ?? '');
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });

  it('makes pools on different drives side by side', async () => {
    const made = await Promise.all(
      stack.loops.drives.map((drive, index) =>
        stack.create({ ...single(`pool ${index}`), drives: [{ serial: drive.serial }] }),
      ),
    );
    expect(made.map(({ operation }) => operation.state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    for (const { guid } of made) expect((await stack.remove(guid)).state).toBe('succeeded');
  });

  it('takes a creation back when the pool is removed meanwhile', async () => {
    const poolGroupGuid = crypto.randomUUID();
    let removed: Promise<unknown> = Promise.resolve();
    whenStep('make-filesystem', 'acting', () => {
      removed = removePool(stack, poolGroupGuid, { actor: TESTER });
    });
    const { operation } = await stack.create({ ...mirror(), poolGroupGuid });
    await removed;
    expect(operation).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    await expectNothingLeft();
  });

  it('refuses to unmount while a program uses a file, and names the program', async () => {
    const { guid } = await stack.create(single());
    const file = openSync(join(stack.pools.get(guid).mountPath, 'open'), 'w');
    await expect(stack.run('pool.unmount', { poolGroupGuid: guid })).rejects.toMatchObject({
      code: 'pool_in_use',
      message: expect.stringContaining(String(process.pid)),
    });
    closeSync(file);
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });
});

describe('a mirror that lost a drive', () => {
  it('comes back degraded, not missing, names the serial, and can be mounted and removed', async () => {
    const { guid } = await stack.create(mirror());
    const { mountPath } = stack.pools.get(guid);
    writeFileSync(join(mountPath, 'file'), 'still here');
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    const gone = stack.loops.drives[1];
    if (!gone) throw new Error('no second drive');
    stack.loops.detach(gone);
    await stack.drives.refresh();
    await stack.pools.refresh();
    expect(stack.pools.get(guid)).toMatchObject({
      poolStatus: 'degraded',
      health: 'critical',
      healthText: expect.stringContaining(gone.serial),
      members: [{ status: 'active' }, { serial: gone.serial, status: 'missing' }],
      verbs: { mount: { allowed: true } },
    });
    const mounted = await stack.run('pool.mount', { poolGroupGuid: guid });
    expect(mounted.error).toBeNull();
    expect(readFileSync(join(mountPath, 'file'), 'utf8')).toBe('still here');
    expect(stack.pools.get(guid)).toMatchObject({
      mounted: true,
      poolStatus: 'degraded',
      members: [{ status: 'active' }, { serial: gone.serial, status: 'missing' }],
    });
    const removed = await stack.remove(guid);
    expect(removed.error).toBeNull();
    expect(signaturesOn(stack.loops.drives[0]?.path ?? '')).toBe('');
    stack.loops.attach(gone);
  });

  it('is missing, and cannot be mounted, when the only drive of a single pool is gone', async () => {
    const { guid } = await stack.create(single());
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    const gone = stack.loops.drives[0];
    if (!gone) throw new Error('no drive');
    stack.loops.detach(gone);
    await stack.drives.refresh();
    await stack.pools.refresh();
    expect(stack.pools.get(guid)).toMatchObject({
      poolStatus: 'missing',
      verbs: { mount: { allowed: false, why: expect.stringContaining(gone.serial) } },
    });
    await expect(stack.run('pool.mount', { poolGroupGuid: guid })).rejects.toMatchObject({
      code: 'drive_gone',
    });
    stack.loops.attach(gone);
    await stack.drives.refresh();
    const mounted = await stack.run('pool.mount', { poolGroupGuid: guid });
    expect(mounted.error).toBeNull();
    expect((await stack.remove(guid)).state).toBe('succeeded');
  });
});
