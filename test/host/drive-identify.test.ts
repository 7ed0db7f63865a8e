import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

let before: Traces;
let stack: StorageStack;
const first = () => stack.loops.drives[0] ?? expect.fail('no drive');
/** Requests that the drive has answered; Documentation/block/stat. */
const answered = (): { reads: number; writes: number } => {
  const fields = readFileSync(`/sys/block/${first().path.slice('/dev/'.length)}/stat`, 'utf8')
    .trim()
    .split(/\s+/);
  return { reads: Number(fields[0]), writes: Number(fields[4]) };
};

beforeEach(async () => {
  before = traces();
  stack = await createStorageStack({ drives: 1 });
});
afterEach(async () => {
  await stack.close();
  await expectNoLeaks(before, stack.loops.directory);
});

const start = (seconds: number) =>
  stack.operations.start({
    kind: 'drive.identify',
    request: { driveId: first().id, seconds },
    actor: TESTER,
  });

test('a drive that is looked for is read in bursts, never written, until its time is over', async () => {
  const was = answered();
  const { id } = await start(2);
  await expect.poll(() => answered().reads - was.reads, { timeout: 10_000 }).toBeGreaterThan(50);
  expect((await stack.operations.wait(id)).state).toBe('succeeded');
  expect(answered().writes).toBe(was.writes);
});

test('who has found the drive stops it', async () => {
  // The search for pools that follows a start reads the drive too: it is over before anything is counted.
  await stack.found.refresh();
  const { id } = await start(300);
  const was = answered();
  await expect.poll(() => answered().reads - was.reads, { timeout: 10_000 }).toBeGreaterThan(50);
  stack.operations.cancel(id, TESTER);
  expect((await stack.operations.wait(id)).state).toBe('cancelled');
  // The released drive is looked at once more; then nobody reads it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await stack.drives.settled();
  const { reads } = answered();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(answered().reads).toBe(reads);
});

test('a drive that blinks can be used by others meanwhile', async () => {
  const { id } = await start(300);
  const { operation } = await stack.create({
    label: 'meanwhile',
    plugin: 'single-drive',
    layout: 'single',
    drives: [{ id: first().id }],
  });
  expect(operation.state).toBe('succeeded');
  stack.operations.cancel(id, TESTER);
  await stack.operations.wait(id);
});
