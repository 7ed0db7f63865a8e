/** What Cairn does about pools by itself: at the start, by the clock, and when the machine changes under its hands. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pools as poolTable } from '$lib/server/db/schema';
import { createPool, removePool } from '$lib/server/pools/create';
import type { Operation } from '$lib/shared/wire/operations';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 3 });
});
afterEach(() => stack.close());

const single = (index: number, label: string) => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial: stack.loops.drives[index]?.serial ?? '' }],
});
const mirror = () => ({
  label: 'mirror',
  plugin: 'btrfs',
  layout: 'raid1',
  drives: stack.loops.drives.slice(0, 2).map(({ serial }) => ({ serial })),
});
const umount = (path: string): void => void execFileSync('/usr/bin/umount', ['--', path]);
const mountsAsked = (): Operation[] =>
  stack.operations.page({ limit: 50 }).items.filter((operation) => operation.kind === 'pool.mount');

describe('at the next start', () => {
  it('mounts what the user wants mounted, and leaves alone what is not wanted or lacks its drive', async () => {
    const wanted = await stack.create(single(0, 'wanted'));
    const unwanted = await stack.create(single(1, 'unwanted'));
    const incomplete = await stack.create(single(2, 'incomplete'));
    await stack.run('pool.unmount', { poolGroupGuid: unwanted.guid });
    // A machine that starts has nothing mounted, and one drive did not come back.
    for (const { guid } of [wanted, incomplete]) umount(stack.pools.get(guid).mountPath);
    const gone = stack.loops.drives[2];
    if (!gone) throw new Error('no third drive');
    stack.loops.detach(gone);
    await stack.drives.refresh();

    await stack.desired.start();
    for (const { id } of mountsAsked())
      expect(await stack.operations.wait(id)).toMatchObject({ state: 'succeeded', requestedBy: 'cairn' });
    await stack.pools.refresh();
    expect(mountsAsked().map((operation) => operation.subject.label)).toEqual(['wanted']);
    expect(stack.pools.get(wanted.guid)).toMatchObject({ state: 'ready', mounted: true });
    expect(stack.pools.get(unwanted.guid)).toMatchObject({ state: 'unmounted', mounted: false });
    expect(stack.pools.get(incomplete.guid)).toMatchObject({ mounted: false, poolStatus: 'missing' });

    // Looked at again, there is nothing left to do, until the drive is back.
    await stack.pools.refresh();
    expect(mountsAsked()).toHaveLength(1);
    expect(stack.pools.get(incomplete.guid).waiting).toContain(gone.serial);
    stack.loops.attach(gone);
    await stack.drives.refresh();
    await stack.pools.whenReady(incomplete.guid, { timeoutMs: 10_000 });
    for (const { id } of mountsAsked()) await stack.operations.wait(id);
    expect(stack.pools.get(incomplete.guid)).toMatchObject({ mounted: true, health: 'healthy' });
  });
});

describe('a pool that is unmounted while its tools read it', () => {
  it('is shown as unmounted; no error of the tool is ever shown', async () => {
    const { guid } = await stack.create(mirror());
    const { mountPath } = stack.pools.get(guid);
    const shown: (string | null)[] = [];
    const end = stack.feed.subscribe(() => shown.push(stack.pools.get(guid).healthText));
    const { status } = stack.plugins;
    let raced = false;
    stack.plugins.status = (id, spec) => {
      if (raced) return status(id, spec);
      raced = true;
      umount(mountPath);
      return Promise.reject(new Error('not a btrfs filesystem'));
    };
    await stack.pools.refresh(guid);
    stack.plugins.status = status;
    expect(raced).toBe(true);
    expect(stack.pools.get(guid)).toMatchObject({ mounted: false, poolStatus: 'inactive', healthText: null });
    end();
    expect(shown.filter((text) => text !== null)).toEqual([]);
  });

  it('still shows an error that has another cause', async () => {
    const { guid } = await stack.create(single(0, 'tank'));
    const { status } = stack.plugins;
    stack.plugins.status = () => Promise.reject(new Error('the tool is broken'));
    await stack.pools.refresh(guid);
    expect(stack.pools.get(guid)).toMatchObject({
      health: 'unknown',
      healthText: expect.stringContaining('the tool is broken'),
    });
    stack.plugins.status = status;
  });
});

describe('a pool that is still being created', () => {
  it('has no plan of removal, says so by code, and is removed by taking the creation back', async () => {
    const asked = await createPool(stack, mirror(), { actor: TESTER });
    const request = { poolGroupGuid: asked.poolGroupGuid };
    await expect(stack.operations.preview('pool.remove', request)).rejects.toMatchObject({
      code: 'pool_wrong_state',
      remedy: expect.stringContaining('cancel'),
    });
    const removing = await removePool(stack, asked.poolGroupGuid, { actor: TESTER });
    expect(removing.id).toBe(asked.operation.id);
    expect(await stack.operations.wait(removing.id)).toMatchObject({ state: 'cancelled' });
    expect(stack.pools.list()).toEqual([]);
    expect(existsSync(join(stack.config.mountRoot, 'mirror'))).toBe(false);
  });
});

describe('the sweeper', () => {
  it.each(['creating', 'deleting'] as const)(
    'brings a pool that is %s without an operation to where it can be removed, and touches no drive',
    async (state) => {
      const { guid } = await stack.create(single(0, 'tank'));
      const other = await stack.create(single(1, 'other'));
      stack.db.update(poolTable).set({ state }).where(eq(poolTable.guid, guid)).run();
      expect(stack.pools.get(guid).verbs.remove.allowed).toBe(false);

      stack.pools.sweep();
      await stack.pools.refresh();
      expect(stack.pools.get(guid)).toMatchObject({
        state: 'error',
        errorMessage: expect.stringContaining(state),
        mounted: true,
        verbs: { remove: { allowed: true } },
      });
      expect(stack.pools.get(other.guid)).toMatchObject({ state: 'ready', errorMessage: null });
      expect((await stack.remove(guid)).state).toBe('succeeded');
    },
  );

  it('leaves a pool alone that an operation is at work on', async () => {
    const asked = await createPool(stack, mirror(), { actor: TESTER });
    stack.pools.sweep();
    expect(stack.pools.get(asked.poolGroupGuid).state).toBe('creating');
    expect(await stack.operations.wait(asked.operation.id)).toMatchObject({ state: 'succeeded' });
    expect(stack.pools.get(asked.poolGroupGuid).state).toBe('ready');
  });
});
