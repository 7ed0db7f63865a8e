/** The power is back, and an enclosure shows its drives one by one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { DriveExpectation } from '$lib/server/operations/types';
import type { Operation } from '$lib/shared/wire/operations';
import { actor, folderStep, openBench, planOf, plugged, type Bench } from '../support/engine';

let bench: Bench;
let uptimeMs = 0;
afterEach(async () => {
  plugged.clear();
  await bench.close();
});

const held = ['drive:one', 'drive:two', 'test'];

/** Interrupted after its first step, as by a power cut; both of its drives are gone. */
async function interrupted(kind = 'test.change', locks = held): Promise<string> {
  bench = openBench({
    crashAt: `done@${kind}/make-a:wait-3600000`,
    sinceBootMs: () => uptimeMs,
  });
  for (const drive of ['one', 'two']) plugged.add(drive);
  const steps = ['a', 'b'].map((name) => folderStep(bench.dir, name));
  const drives = ['one', 'two'].map((id) => ({ id, serial: `S-${id}` }) as DriveExpectation);
  const { id } = await bench.operations.start({ kind, request: planOf(steps, { locks, drives }), actor });
  while (bench.operations.get(id).steps[0]?.state !== 'done') await sleep(5);
  await sleep(30);
  plugged.clear();
  return id;
}
async function until(id: string, fits: (operation: Operation) => boolean): Promise<Operation> {
  for (;;) {
    const operation = bench.operations.get(id);
    if (fits(operation)) return operation;
    await sleep(10);
  }
}

test('an interrupted operation waits for the drives that come a moment after the start, and says so', async () => {
  uptimeMs = 20_000;
  const id = await interrupted();
  const operations = bench.restart();
  // The start itself waits for nobody's drive.
  await operations.recover();
  expect(operations.get(id)).toMatchObject({ state: 'running', verdict: null });
  expect((await until(id, ({ progress }) => progress !== null)).progress?.text).toMatch(
    /Waits for drive S-one, drive S-two/,
  );
  plugged.add('two');
  await until(id, ({ progress }) => progress?.text.includes('Waits for drive S-one:') === true);
  expect(bench.made()).toEqual(['a']);
  plugged.add('one');
  const ended = await operations.wait(id);
  expect(ended).toMatchObject({ state: 'succeeded', verdict: 'continued', progress: null });
  expect(ended.evidence.join(' ')).toMatch(
    /drive S-one, drive S-two came a moment after the machine was started/,
  );
});

test('a drive that does not come is not waited for any longer, and is named', async () => {
  uptimeMs = 20_000;
  const id = await interrupted('test.make');
  plugged.add('one');
  const operations = bench.restart();
  await operations.recover();
  expect(operations.get(id).verdict).toBeNull();
  uptimeMs = 95_000;
  const ended = await operations.wait(id);
  expect(ended).toMatchObject({ state: 'failed', verdict: 'taken-back' });
  expect(ended.evidence.join(' ')).toMatch(/drive S-two did not come back/);
});

test('an operation that only uses a pool waits for the drives of the pool too', async () => {
  uptimeMs = 20_000;
  const id = await interrupted('test.change', ['uses:pool:x']);
  const operations = bench.restart();
  await operations.recover();
  expect(operations.get(id).verdict).toBeNull();
  plugged.add('one').add('two');
  expect(await operations.wait(id)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
});

test('what goes on without its drive shows what it does then, not what it waited for', async () => {
  uptimeMs = 20_000;
  const id = await interrupted();
  const operations = bench.restart('begun@test.change/make-b:wait-300');
  await operations.recover();
  await until(id, ({ progress }) => progress !== null);
  uptimeMs = 95_000;
  expect((await until(id, ({ verdict }) => verdict !== null)).progress).toBeNull();
  expect(await operations.wait(id)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
});

test('on a machine that has been running for long nothing is waited for', async () => {
  uptimeMs = 3_600_000;
  const id = await interrupted('test.make');
  const operations = bench.restart();
  await operations.recover();
  expect(operations.get(id).verdict).toBe('taken-back');
  await operations.wait(id);
});

test('an operation that is cancelled while it waits is taken back', async () => {
  uptimeMs = 20_000;
  const id = await interrupted();
  const operations = bench.restart();
  await operations.recover();
  await until(id, ({ progress }) => progress !== null);
  operations.cancel(id, actor);
  const ended = await operations.wait(id);
  expect(ended).toMatchObject({ state: 'cancelled', verdict: 'taken-back' });
  expect(bench.made()).toEqual([]);
});
