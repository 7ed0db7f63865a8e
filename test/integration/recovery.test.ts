import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Step } from '$lib/plugin-api/plan';
import type { Operation } from '$lib/shared/wire/operations';
import {
  actor,
  commandStep,
  folderStep,
  openBench,
  planOf,
  PROGRAMS,
  removeStep,
  type Bench,
} from '../support/engine';

let bench: Bench;
afterEach(() => bench.close());

/** Starts an operation that stops for good at a point, as if the process had died there. */
async function dieAt(
  spec: string,
  kind: string,
  steps: (dir: string) => Parameters<typeof planOf>[0],
  options: Parameters<typeof openBench>[0] = {},
): Promise<string> {
  bench = openBench({ ...options, crashAt: `${spec}:wait-3600000` });
  const { id } = await bench.operations.start({ kind, request: planOf(steps(bench.dir)), actor });
  const [point = '', step = ''] = spec.split(/@[^/]*\//);
  const state = { begun: 'begun', acted: 'acting', done: 'done', undone: 'undone' }[point];
  while (state && bench.operations.get(id).steps.find((row) => row.name === step)?.state !== state)
    await sleep(5);
  // The point lies a moment behind the commit.
  await sleep(point === 'acted' ? 300 : 30);
  return id;
}
async function recovered(id: string): Promise<Operation> {
  const operations = bench.restart();
  await operations.recover();
  return operations.wait(id);
}
const two = (dir: string) => [folderStep(dir, 'a'), folderStep(dir, 'b')];

describe('after a crash', () => {
  it('an operation that creates is taken back, with what was seen', async () => {
    const id = await dieAt('done@test.make/make-a', 'test.make', two);
    expect(bench.made()).toEqual(['a']);
    const operation = await recovered(id);
    expect(operation).toMatchObject({
      state: 'failed',
      verdict: 'taken-back',
      error: { code: 'interrupted' },
      canRetry: true,
    });
    expect(operation.evidence.join(' ')).toMatch(/1 of 2 steps were done.*taken back/);
    expect(bench.made()).toEqual([]);
    expect(bench.operations.holder('test')).toBeNull();
  });

  it('a step that had only begun is not undone: what is there was not made by it', async () => {
    const id = await dieAt('begun@test.make/make-b', 'test.make', two);
    // Somebody makes the folder while Cairn is away.
    mkdirSync(join(bench.dir, 'b'));
    expect(await recovered(id)).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(bench.made()).toEqual(['b']);
  });

  it('an operation whose every effect is there has finished anyway', async () => {
    const id = await dieAt('acted@test.make/make-b', 'test.make', two);
    expect(await recovered(id)).toMatchObject({ state: 'succeeded', verdict: 'finished-anyway' });
    expect(bench.told).toEqual(['begin', 'succeed']);
    expect(bench.made()).toEqual(['a', 'b']);
  });

  it('an operation that removes is continued to its end', async () => {
    const id = await dieAt('begun@test.remove/remove-a', 'test.remove', (dir) => {
      for (const name of ['a', 'b']) mkdirSync(join(dir, name));
      return [removeStep(dir, 'a'), removeStep(dir, 'b')];
    });
    expect(await recovered(id)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    expect(bench.made()).toEqual([]);
  });

  it('one that was being taken back is taken back further, and keeps its first reason', async () => {
    const id = await dieAt('undone@test.make/make-b', 'test.make', (dir) => [
      ...two(dir),
      commandStep('fail', PROGRAMS.false, [], join(dir, 'x')),
    ]);
    expect(bench.made()).toEqual(['a']);
    expect(await recovered(id)).toMatchObject({
      state: 'failed',
      verdict: 'taken-back',
      error: { code: 'command_failed' },
    });
    expect(bench.made()).toEqual([]);
  });

  it('something foreign in the way needs the user, and nothing is touched', async () => {
    const id = await dieAt('done@test.make/make-a', 'test.make', two);
    writeFileSync(join(bench.dir, 'a.foreign'), '');
    expect(await recovered(id)).toMatchObject({ state: 'needs-attention', verdict: 'needs-you' });
    expect(bench.made()).toEqual(['a', 'a.foreign']);
  });

  it('an orphan that still runs is ended before anything is taken back', async () => {
    const id = await dieAt('never@none/none', 'test.make', (dir) => [
      folderStep(dir, 'a'),
      commandStep('sleep', PROGRAMS.sleep, ['3599'], join(dir, 'x')),
    ]);
    while (bench.operations.get(id).steps[1]?.state !== 'acting') await sleep(5);
    await sleep(50);
    const operation = await recovered(id);
    expect(operation).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(operation.evidence.join(' ')).toMatch(
      /\/usr\/bin\/sleep \(pid \d+\) was still running and was ended/,
    );
    expect(bench.made()).toEqual([]);
  });

  it('only the kinds asked for are judged: drives come back before pools', async () => {
    const id = await dieAt('done@test.make/make-a', 'test.make', two);
    const operations = bench.restart();
    await operations.recover((kind) => kind.startsWith('sandbox.'));
    expect(operations.get(id).state).toBe('running');
    await operations.recover();
    expect(await operations.wait(id)).toMatchObject({ verdict: 'taken-back' });
  });
});

describe('the sweeper', () => {
  it('recovers an operation that has lost its worker, once its lease has run out', async () => {
    const id = await dieAt('done@test.make/make-a', 'test.make', two, { leaseMs: 300 });
    const lost = bench.operations;
    await lost.stop(0); // the first engine no longer renews the lease
    const operations = bench.restart();
    await operations.sweep();
    expect(operations.get(id).state).toBe('running');
    await sleep(400);
    await operations.sweep();
    expect(await operations.wait(id)).toMatchObject({ state: 'failed', verdict: 'taken-back' });
  });

  it('leaves a living worker alone when the clock jumps a day ahead', async () => {
    let ahead = 0;
    bench = openBench({
      crashAt: 'done@test.make/make-a:wait-400',
      leaseMs: 60_000,
      clock: { now: () => Date.now() + ahead, elapsed: () => performance.now() },
    });
    const { id } = await bench.operations.start({
      kind: 'test.make',
      request: planOf(two(bench.dir)),
      actor,
    });
    while (bench.operations.get(id).steps[0]?.state !== 'done') await sleep(5);
    ahead = 86_400_000;
    await bench.operations.sweep();
    expect(await bench.operations.wait(id)).toMatchObject({ state: 'succeeded', verdict: null });
  });
});

describe('after a reboot in the middle', () => {
  /** Gone with a reboot, as a mount is. */
  const brief = (step: Step): Step => ({ ...step, look: { ...step.look, untilReboot: true } });
  const reboot = (...lost: string[]): void => {
    bench.bootId = 'boot-2';
    for (const name of lost) rmSync(join(bench.dir, name), { recursive: true, force: true });
  };
  const states = ({ steps }: Operation) => steps.map(({ name, state }) => `${name} ${state}`);

  it('a change does again what the reboot undid, in order, and nothing else', async () => {
    const id = await dieAt('begun@test.change/make-c', 'test.change', (dir) => [
      folderStep(dir, 'lasting'),
      brief(folderStep(dir, 'a')),
      brief(folderStep(dir, 'b')),
      folderStep(dir, 'c'),
    ]);
    // What lasts is not looked at again: that it is not there now is not seen, and not mended.
    reboot('a', 'lasting');
    const operation = await recovered(id);
    expect(operation).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    expect(bench.made()).toEqual(['a', 'b', 'c']);
    expect(operation.evidence.filter((line) => line.includes('started anew'))).toEqual([
      'The machine was started anew: "Make a" was done once more.',
    ]);
  });

  it('looks at nothing again when only Cairn was started anew', async () => {
    const id = await dieAt('begun@test.change/make-c', 'test.change', (dir) => [
      brief(folderStep(dir, 'a')),
      folderStep(dir, 'c'),
    ]);
    rmSync(join(bench.dir, 'a'), { recursive: true });
    expect(await recovered(id)).toMatchObject({ state: 'succeeded' });
    expect(bench.made()).toEqual(['c']);
  });

  it('what a later step of the plan unmade is not made again', async () => {
    const id = await dieAt('begun@test.change/make-c', 'test.change', (dir) => [
      brief(folderStep(dir, 'a')),
      brief(removeStep(dir, 'a')),
      folderStep(dir, 'c'),
    ]);
    reboot();
    const operation = await recovered(id);
    expect(states(operation)).toEqual(['make-a done', 'remove-a done', 'make-c done']);
    expect(operation.evidence.join(' ')).not.toContain('started anew');
    expect(bench.made()).toEqual(['c']);
  });

  it('what is in the place of something that was taken away is left alone', async () => {
    const id = await dieAt('begun@test.change/make-c', 'test.change', (dir) => [
      folderStep(dir, 'a'),
      brief(removeStep(dir, 'a')),
      folderStep(dir, 'c'),
    ]);
    reboot();
    writeFileSync(join(bench.dir, 'a.foreign'), '');
    expect(await recovered(id)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    expect(bench.made()).toEqual(['a.foreign', 'c']);
  });

  it('what had finished anyway is whole again before that is said', async () => {
    const id = await dieAt('acted@test.make/make-b', 'test.make', (dir) => [
      brief(folderStep(dir, 'a')),
      folderStep(dir, 'b'),
    ]);
    reboot('a');
    expect(await recovered(id)).toMatchObject({ state: 'succeeded', verdict: 'finished-anyway' });
    expect(bench.made()).toEqual(['a', 'b']);
  });

  it('a way back finds again what it works in, and leaves nothing', async () => {
    const inside = (dir: string) => folderStep(join(dir, 'a'), 'inside');
    const id = await dieAt('done@test.make/make-inside', 'test.make', (dir) => [
      brief(folderStep(dir, 'a')),
      inside(dir),
      folderStep(dir, 'c'),
    ]);
    reboot('a');
    const operation = await recovered(id);
    expect(operation).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(operation.evidence.join(' ')).toContain('"Make a" was done once more');
    expect(bench.made()).toEqual([]);
  });

  it('a way back goes on when that cannot be had again, and says so', async () => {
    const id = await dieAt('done@test.make/make-c', 'test.make', (dir) => [
      folderStep(dir, 'parent'),
      brief({
        ...commandStep('a', PROGRAMS.touch, [join(dir, 'parent/a')], join(dir, 'parent/a')),
        undo: 'nothing',
      }),
      folderStep(dir, 'c'),
      folderStep(dir, 'd'),
    ]);
    reboot('parent');
    const operation = await recovered(id);
    expect(operation).toMatchObject({ state: 'failed', verdict: 'taken-back' });
    expect(operation.evidence.join(' ')).toContain('"Run a" could not be done once more');
    expect(bench.made()).toEqual([]);
  });

  it('a second reboot while it is being done again changes nothing', async () => {
    const id = await dieAt('begun@test.change/make-c', 'test.change', (dir) => [
      brief(folderStep(dir, 'a')),
      brief(folderStep(dir, 'b')),
      folderStep(dir, 'c'),
    ]);
    reboot('a', 'b');
    const second = bench.restart('acting@test.change/make-b:wait-3600000');
    await second.recover();
    while (second.get(id).steps[1]?.state !== 'acting') await sleep(5);
    bench.bootId = 'boot-3';
    rmSync(join(bench.dir, 'a'), { recursive: true });
    expect(await recovered(id)).toMatchObject({ state: 'succeeded', verdict: 'continued' });
    expect(bench.made()).toEqual(['a', 'b', 'c']);
  });
});
