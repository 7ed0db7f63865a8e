/**
 * The kernel remembers a btrfs by the drives that it has seen, also when they were erased since. Linux 6.7 and later mount
 * a filesystem on one drive under a UUID of the moment then, and such a one takes no second drive.
 */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const MIB = 1024 ** 2;
const GUID = crypto.randomUUID();

let stack: StorageStack;
beforeEach(async () => {
  stack = await createStorageStack({ drives: 3, driveBytes: 320 * MIB });
});
afterEach(() => stack.close());

const choose = (...indexes: number[]): { serial: string }[] =>
  indexes.map((index) => ({ serial: stack.loops.drives[index]?.serial ?? '' }));
const request = (layout: string, ...indexes: number[]) => ({
  ...{ label: 'tank', plugin: 'btrfs', layout, poolGroupGuid: GUID },
  drives: choose(...indexes),
});
const create = async (layout: string, ...indexes: number[]): Promise<void> => {
  const { operation } = await stack.create(request(layout, ...indexes));
  expect(operation).toMatchObject({ state: 'succeeded', error: null });
};
const remove = async (): Promise<void> =>
  expect(await stack.remove(GUID)).toMatchObject({ state: 'succeeded', error: null });

/** A pool of one drive under its own UUID, that takes a second one. */
async function expectToGrow(first: number, second: number): Promise<void> {
  await create('single', first);
  expect(existsSync(`/sys/fs/btrfs/${GUID}`)).toBe(true);
  const grown = await stack.change({ verb: 'expand', poolGroupGuid: GUID, drives: choose(second) });
  expect(grown).toMatchObject({ state: 'succeeded', error: null });
  expect(stack.pools.get(GUID)).toMatchObject({ health: 'healthy', members: [{}, {}] });
  await remove();
}

async function wipe(index: number): Promise<void> {
  const driveId = stack.loops.drives[index]?.id ?? '';
  const asked = { kind: 'drive.wipe', request: { driveId }, actor: TESTER };
  const { confirmCode } = await stack.operations.preview(asked.kind, asked.request);
  const { id } = await stack.operations.start({ ...asked, confirmCode });
  expect(await stack.operations.wait(id)).toMatchObject({ state: 'succeeded', error: null });
}

describe('a pool of one drive takes a second one', () => {
  it('after a pool of its GUID on two drives was removed', async () => {
    await create('raid1', 0, 1);
    await remove();
    await expectToGrow(0, 2);
    await expectToGrow(1, 0);
  });

  it('after the creation of one on two drives was cancelled', async () => {
    let id = '';
    stack.bus.on('operation.changed', (changed) => {
      const operation = stack.operations.get(changed.id);
      const mounted = operation.steps.some(({ name, state }) => name === 'mount' && state === 'done');
      if (id !== '' || operation.kind !== 'pool.create' || !mounted) return;
      id = operation.id;
      stack.operations.cancel(id, TESTER);
    });
    const { operation } = await stack.create(request('raid1', 0, 1));
    expect(operation.state).toBe('cancelled');
    await expectToGrow(1, 2);
  });

  it('after the drives of a released one were wiped', async () => {
    await create('raid1', 0, 1);
    expect((await stack.change({ verb: 'release', poolGroupGuid: GUID })).error).toBeNull();
    await wipe(0);
    await wipe(1);
    await expectToGrow(1, 0);
  });

  it('after a drive of it was replaced and another had left', async () => {
    await create('raid1', 0, 1);
    const replaced = await stack.change({
      ...{ verb: 'replace', poolGroupGuid: GUID, member: { slot: 1 } },
      drive: { serial: choose(2)[0]?.serial },
    });
    expect(replaced.error).toBeNull();
    await remove();
    await expectToGrow(1, 2);
    await create('single', 0, 1);
    const left = await stack.change({ verb: 'remove-drive', poolGroupGuid: GUID, member: { slot: 1 } });
    expect(left.error).toBeNull();
    await remove();
    await expectToGrow(2, 0);
  });
});
