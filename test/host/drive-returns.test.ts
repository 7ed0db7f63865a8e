import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { detachLoops, type LoopDrive } from '../support/loop-drives';
import { createStorageStack, type StorageStack } from '../support/storage-stack';

let before: Traces;
let stack: StorageStack;
beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 1 });
});
afterEach(async () => {
  await stack.close();
  await expectNoLeaks(before, stack.loops.directory);
});
const drive = (index: number): LoopDrive => stack.loops.drives[index] ?? expect.fail(`no drive ${index}`);
const shown = (id: string) => stack.feed.get('drives', id);

it('a drive that vanishes and returns under another name is the same row, with all that was said of it', async () => {
  const gone = drive(0);
  stack.drives.setBayLabel(gone.id, 'top left');
  stack.drives.setAside(gone.id, 'it rattles.');
  const was = shown(gone.id);
  stack.loops.detach(gone);
  await expect.poll(() => shown(gone.id)?.present, { timeout: 5_000 }).toBe(false);
  expect(shown(gone.id)).toMatchObject({
    group: 'gone',
    bayLabel: 'top left',
    setAside: { why: 'it rattles.' },
  });

  // Its name is taken by somebody else meanwhile: the kernel gives out the lowest free number.
  const name = gone.path;
  const stranger = join(stack.loops.directory, 'stranger');
  writeFileSync(stranger, '');
  truncateSync(stranger, 64 * 1024 ** 2);
  execFileSync('/usr/sbin/losetup', [name, stranger]);
  try {
    stack.loops.attach(gone);
    expect(gone.path).not.toBe(name);
    await expect.poll(() => shown(gone.id)?.path, { timeout: 5_000 }).toBe(gone.path);
    expect(shown(gone.id)).toMatchObject({
      ...{ id: gone.id, path: gone.path, bayLabel: 'top left', firstSeenAt: was?.firstSeenAt },
      setAside: { why: 'it rattles.' },
    });
    expect(stack.drives.list().filter(({ serial }) => serial === gone.serial)).toHaveLength(1);
  } finally {
    detachLoops(stranger);
  }
});
