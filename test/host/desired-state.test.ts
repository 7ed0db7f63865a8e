import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '$lib/server/log';
import { createDesiredPools } from '$lib/server/pools/desired';
import { expectNoLeaks, traces } from '../support/leaks';
import { createStorageStack, type StorageStack } from '../support/storage-stack';

let stack: StorageStack;
let before: ReturnType<typeof traces>;
beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 2 });
});
afterEach(async () => {
  await stack.close();
  await expectNoLeaks(before, stack.config.dataDir);
});

const single = (label: string, mountPath?: string) => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial: stack.loops.drives[0]?.serial ?? '' }],
  ...(mountPath ? { mountPath } : {}),
});
const mirror = (label: string) => ({
  label,
  plugin: 'btrfs',
  layout: 'raid1',
  drives: stack.loops.drives.map(({ serial }) => ({ serial })),
});
const isImmutable = (path: string): boolean =>
  /^\S*i/.test(execFileSync('/usr/bin/lsattr', ['-d', '--', path], { encoding: 'utf8' }));
const mounts = () =>
  stack.operations.page({ limit: 50 }).items.filter((operation) => operation.kind === 'pool.mount');

describe('the folder of a pool that is not mounted', () => {
  it.each([
    ['ext4', () => single('tank')],
    ['btrfs', () => mirror('tank')],
  ])(
    'takes no file from anybody while the %s pool is away, and takes them again in the pool',
    async (_type, request) => {
      const { guid, operation } = await stack.create(request());
      expect(operation.error).toBeNull();
      const { mountPath } = stack.pools.get(guid);
      writeFileSync(join(mountPath, 'photo'), 'x');
      expect(await stack.run('pool.unmount', { poolGroupGuid: guid })).toMatchObject({ state: 'succeeded' });
      expect(() => writeFileSync(join(mountPath, 'stray'), 'x')).toThrow('EPERM');
      expect(() => mkdirSync(join(mountPath, 'folder'))).toThrow('EPERM');
      expect(readdirSync(mountPath)).toEqual([]);
      expect(await stack.run('pool.mount', { poolGroupGuid: guid })).toMatchObject({ state: 'succeeded' });
      expect(readdirSync(mountPath)).toContain('photo');
      expect(await stack.remove(guid)).toMatchObject({ state: 'succeeded' });
      expect(existsSync(mountPath)).toBe(false);
    },
  );

  it('is the user’s again, as it was, when it had been there before', async () => {
    const path = join(stack.config.mountRoot, 'mine');
    mkdirSync(path, { recursive: true });
    const { guid } = await stack.create(single('tank', path));
    execFileSync('/usr/bin/umount', ['--', path]);
    expect(isImmutable(path)).toBe(true);
    expect(await stack.remove(guid)).toMatchObject({ state: 'succeeded' });
    expect(isImmutable(path)).toBe(false);
    writeFileSync(join(path, 'file'), 'x');
  });

  it('is free again after a release', async () => {
    const { guid } = await stack.create(single('tank'));
    const { mountPath } = stack.pools.get(guid);
    expect(await stack.run('pool.release', { verb: 'release', poolGroupGuid: guid })).toMatchObject({
      state: 'succeeded',
    });
    expect(isImmutable(mountPath)).toBe(false);
  });

  it('is protected also when the pool has been mounted already, as one of an earlier version is', async () => {
    const { guid } = await stack.create(single('tank'));
    const { mountPath } = stack.pools.get(guid);
    execFileSync('/usr/bin/umount', ['--', mountPath]);
    execFileSync('/usr/bin/chattr', ['-i', '--', mountPath]);
    const [drive] = stack.loops.drives;
    execFileSync('/usr/bin/mount', ['--', `${drive?.path}p1`, mountPath]);
    expect(await stack.run('pool.keep-mounted', { poolGroupGuid: guid })).toMatchObject({
      state: 'succeeded',
    });
    execFileSync('/usr/bin/umount', ['--', mountPath]);
    expect(isImmutable(mountPath)).toBe(true);
  });

  it('may lie where folders cannot be protected', async () => {
    const path = join(stack.config.mountRoot, 'memory');
    mkdirSync(path, { recursive: true });
    execFileSync('/usr/bin/mount', ['-t', 'ramfs', 'none', path]);
    try {
      const { guid, operation } = await stack.create(single('tank', join(path, 'tank')));
      expect(operation.error).toBeNull();
      expect(operation.steps.find(({ name }) => name === 'protect-mount-point')?.state).toBe('skipped');
      expect(await stack.remove(guid)).toMatchObject({ state: 'succeeded' });
    } finally {
      spawnSync('/usr/bin/umount', ['-l', '--', path]);
    }
  });
});

describe('a pool that should be mounted', () => {
  it('and was unmounted in a shell is left to whoever did that, says so, and is back after the next start', async () => {
    const { guid } = await stack.create(single('tank'));
    await stack.desired.start();
    execFileSync('/usr/bin/umount', ['--', stack.pools.get(guid).mountPath]);
    await stack.pools.refresh();
    expect(stack.pools.get(guid)).toMatchObject({
      state: 'ready',
      mounted: false,
      waiting: expect.stringContaining('Something else than Cairn unmounted it.'),
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(mounts()).toEqual([]);
    await stack.desired.stop();
    const again = createDesiredPools({ ...stack, log: createLog('silent') });
    await again.start();
    expect(await stack.pools.whenReady(guid, { timeoutMs: 10_000 })).toMatchObject({
      mounted: true,
      waiting: null,
    });
    await again.stop();
  });

  it('and was unmounted in a shell right after an operation is left to whoever did that, too', async () => {
    await stack.desired.start();
    const { guid } = await stack.create(single('tank'));
    expect(stack.pools.get(guid).mounted).toBe(true);
    // Within the half second after which the pool is compared with what it should be.
    execFileSync('/usr/bin/umount', ['--', stack.pools.get(guid).mountPath]);
    await expect.poll(() => stack.pools.get(guid).mounted).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(mounts()).toEqual([]);
    expect(stack.pools.get(guid).mounted).toBe(false);
  });

  it('and was unmounted on its page stays unmounted after the next start, and waits for nothing', async () => {
    const { guid } = await stack.create(single('tank'));
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    await stack.desired.start();
    expect(stack.pools.get(guid)).toMatchObject({ state: 'unmounted', mounted: false, waiting: null });
    expect(mounts()).toEqual([]);
  });

  it('and cannot be mounted is tried once, not again and again, and says why', async () => {
    const { guid } = await stack.create(single('tank'));
    const { mountPath } = stack.pools.get(guid);
    execFileSync('/usr/bin/umount', ['--', mountPath]);
    execFileSync('/usr/bin/mount', ['-t', 'ramfs', 'other', mountPath]);
    try {
      await stack.pools.refresh();
      await stack.desired.start();
      const [first] = mounts();
      expect(await stack.operations.wait(first?.id ?? '')).toMatchObject({ state: 'failed' });
      await stack.pools.refresh();
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(mounts()).toHaveLength(1);
      expect(stack.pools.get(guid).waiting).toContain('The last attempt to mount it failed.');
    } finally {
      execFileSync('/usr/bin/umount', ['--', mountPath]);
    }
  });
});

describe('whoever waits for a pool', () => {
  it('goes on as soon as it is mounted, hears why not when the time is over, and when it is gone', async () => {
    const { guid } = await stack.create(single('tank'));
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    await expect(stack.pools.whenReady(guid, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'pool_not_ready',
    });
    const waiting = stack.pools.whenReady(guid, { timeoutMs: 20_000 });
    await stack.run('pool.mount', { poolGroupGuid: guid });
    expect(await waiting).toMatchObject({ guid, mounted: true });
    await stack.run('pool.unmount', { poolGroupGuid: guid });
    const tooLong = stack.pools.whenReady(guid);
    const gone = expect(tooLong).rejects.toMatchObject({ code: 'pool_not_found' });
    await stack.remove(guid);
    await gone;
    await expect(stack.pools.whenReady(guid)).rejects.toMatchObject({ code: 'pool_not_found' });
  });
});
