import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
beforeEach(() => {
  bench = openBench();
});
afterEach(() => bench.close());

async function run(kind: string, plan: ReturnType<typeof planOf>): Promise<Operation> {
  const { id } = await bench.operations.start({ kind, request: plan, actor });
  return bench.operations.wait(id);
}
const states = (operation: Operation): string[] => operation.steps.map((step) => step.state);
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

describe('what failed while nobody watched', () => {
  const cairn = { ...actor, kind: 'system' as const, name: 'cairn' };
  const failing = () => planOf([commandStep('fail', PROGRAMS.false, [], join(bench.dir, 'x'))]);
  it('is what Cairn itself began last, until the same is done by whomever', async () => {
    await run('test.make', failing());
    expect(bench.operations.unwatchedFailures()).toEqual([]);
    for (let times = 0; times < 2; times += 1) {
      const { id } = await bench.operations.start({ kind: 'test.make', request: failing(), actor: cairn });
      await bench.operations.wait(id);
      expect(bench.operations.unwatchedFailures().map((operation) => operation.id)).toEqual([id]);
    }
    await run('test.make', planOf([folderStep(bench.dir, 'a')]));
    expect(bench.operations.unwatchedFailures()).toEqual([]);
  });
});

describe('an operation', () => {
  it('is answered at once with its id while its record and steps are on disk already', async () => {
    const operation = await bench.operations.start({
      kind: 'test.make',
      request: planOf([folderStep(bench.dir, 'a')]),
      actor,
    });
    expect(operation).toMatchObject({ state: 'running', requestedBy: 'ann', percent: 0 });
    expect(bench.told).toEqual(['begin']);
    expect(bench.db.$client.prepare('SELECT count(*) AS n FROM steps').get()).toEqual({ n: 1 });
    await bench.operations.wait(operation.id);
  });

  it('runs its steps in order and ends well', async () => {
    const operation = await run(
      'test.make',
      planOf([folderStep(bench.dir, 'a'), folderStep(bench.dir, 'a/b')]),
    );
    expect(operation).toMatchObject({ state: 'succeeded', percent: 100, error: null, verdict: null });
    expect(states(operation)).toEqual(['done', 'done']);
    expect(bench.told).toEqual(['begin', 'succeed']);
  });

  it('skips what is there already, and does not take it back when a later step fails', async () => {
    mkdirSync(join(bench.dir, 'a'));
    const operation = await run(
      'test.make',
      planOf([folderStep(bench.dir, 'a'), commandStep('fail', PROGRAMS.false, [], join(bench.dir, 'x'))]),
    );
    expect(states(operation)).toEqual(['skipped', 'undone']);
    expect(bench.made()).toEqual(['a']);
  });

  it('takes everything back in reverse when a command fails, and tells which command said what', async () => {
    const operation = await run(
      'test.make',
      planOf([
        folderStep(bench.dir, 'a'),
        folderStep(bench.dir, 'a/b'),
        commandStep('list', PROGRAMS.ls, ['/nowhere'], join(bench.dir, 'x')),
      ]),
    );
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'command_failed' } });
    expect(operation.error?.message).toMatch(/\/usr\/bin\/ls ended with exit code 2: .*nowhere/);
    expect(bench.made()).toEqual([]);
    expect(bench.told).toEqual(['begin', 'takenBack command_failed']);
    expect(bench.operations.commands(operation.id)[0]).toMatchObject({
      argv: ['/usr/bin/ls', '/nowhere'],
      exitCode: 2,
      lines: [{ stream: 'stderr' }],
    });
  });

  it('fails when a program says that all is well and the effect is not there', async () => {
    const operation = await run(
      'test.make',
      planOf([commandStep('pretend', PROGRAMS.env, [], join(bench.dir, 'x'))]),
    );
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'postcondition' } });
  });

  it('touches nothing when something foreign is where a step works', async () => {
    writeFileSync(join(bench.dir, 'b.foreign'), '');
    const operation = await run(
      'test.make',
      planOf([folderStep(bench.dir, 'a'), folderStep(bench.dir, 'b')]),
    );
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'foreign_state' } });
    expect(states(operation)).toEqual(['undone', 'pending']);
    expect(bench.made()).toEqual(['b.foreign']);
  });

  it('keeps every line of output in order, with stream and time', async () => {
    const operation = await run(
      'test.make',
      planOf([
        commandStep(
          'print',
          PROGRAMS.env,
          ['-v', PROGRAMS.touch, join(bench.dir, 'x')],
          join(bench.dir, 'x'),
        ),
      ]),
    );
    const lines = bench.operations.outputs(operation.id, {});
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.every((line) => line.stream === 'stderr' && line.at > 0 && line.stepIndex === 0)).toBe(true);
    expect(bench.operations.outputs(operation.id, { after: lines[0]?.id ?? 0 })).toEqual(lines.slice(1));
  });

  it('is past its deadline: cancelled and taken back', async () => {
    const operation = await run(
      'test.brief',
      planOf([
        folderStep(bench.dir, 'a'),
        commandStep('sleep', PROGRAMS.sleep, ['60'], join(bench.dir, 'x')),
      ]),
    );
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'deadline_passed' } });
    expect(bench.made()).toEqual([]);
  });
});

describe('cancel', () => {
  it('ends the running program, takes everything back and says who did it', async () => {
    const { id } = await bench.operations.start({
      kind: 'test.make',
      request: planOf([
        folderStep(bench.dir, 'a'),
        commandStep('sleep', PROGRAMS.sleep, ['61.25'], join(bench.dir, 'x')),
      ]),
      actor,
    });
    while (bench.operations.get(id).steps[1]?.state !== 'acting') await sleep(5);
    await sleep(30);
    bench.operations.cancel(id, actor);
    const operation = await bench.operations.wait(id);
    expect(operation).toMatchObject({
      state: 'cancelled',
      error: { code: 'cancelled', message: 'Cancelled by ann.' },
      canRetry: true,
    });
    expect(bench.made()).toEqual([]);
    const [command] = bench.operations.commands(id);
    expect(command?.endedAt).not.toBeNull();
  });

  it('takes everything back when it comes while the last step ends', async () => {
    bench.restart('done@test.make/make-b:wait-5000');
    const request = planOf([folderStep(bench.dir, 'a'), folderStep(bench.dir, 'b')]);
    const { id } = await bench.operations.start({ kind: 'test.make', request, actor });
    while (bench.operations.get(id).steps[1]?.state !== 'done') await sleep(5);
    bench.operations.cancel(id, actor);
    expect(await bench.operations.wait(id)).toMatchObject({ state: 'cancelled' });
    expect(bench.made()).toEqual([]);
  });

  it('is refused, with the reason, for what has ended and for what is partly gone', async () => {
    const ended = await run('test.make', planOf([folderStep(bench.dir, 'a')]));
    expect(() => bench.operations.cancel(ended.id, actor)).toThrow('It is succeeded already.');
    bench.restart('done@test.remove/remove-a:wait-500');
    const { id } = await bench.operations.start({
      kind: 'test.remove',
      request: planOf([removeStep(bench.dir, 'a'), removeStep(bench.dir, 'b')]),
      actor,
    });
    while (bench.operations.get(id).steps[0]?.state !== 'done') await sleep(5);
    expect(() => bench.operations.cancel(id, actor)).toThrow(/partly gone/);
    expect(bench.operations.get(id).canCancel).toBe(false);
    await bench.operations.wait(id);
  });
});

describe('locks', () => {
  it('let exactly one of many at once through, and the refusal names the holder and its percent', async () => {
    bench.restart('done@test.make/make-a:wait-400');
    const plan = planOf([folderStep(bench.dir, 'a'), folderStep(bench.dir, 'b')]);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() =>
        bench.operations.start({ kind: 'test.make', request: plan, actor }).then(
          (operation) => operation.id,
          (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
        ),
      ),
    );
    const refused = answers.filter((answer) => answer.startsWith('locked'));
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatch(/locked: "Test" works on this now \(\d+ %\)\./);
    await bench.operations.wait(answers.find((answer) => !answer.startsWith('locked')) ?? '');
    expect(bench.operations.holder('test')).toBeNull();
  });

  it('do not stop operations on other things', async () => {
    const plans = ['a', 'b', 'c'].map((name) =>
      planOf([folderStep(bench.dir, name)], { locks: [`folder:${name}`] }),
    );
    const started = await Promise.all(
      plans.map((request) => bench.operations.start({ kind: 'test.make', request, actor })),
    );
    const ended = await Promise.all(started.map(({ id }) => bench.operations.wait(id)));
    expect(ended.map((operation) => operation.state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });
});

describe('confirm codes', () => {
  const erases = [{ driveId: 'd', serial: 'S1', path: '/dev/x', sizeBytes: 1, content: ['ext4 "photos"'] }];

  it('are asked for only when something is erased, and fit only the plan that was shown', async () => {
    const plan = planOf([folderStep(bench.dir, 'a')], { erases, confirmText: 'photos' });
    const preview = await bench.operations.preview('test.make', plan);
    expect(preview).toMatchObject({
      confirmText: 'photos',
      erases,
      confirmCode: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    });
    const start = (request: typeof plan, confirmCode: string | null) =>
      bench.operations.start({ kind: 'test.make', request, actor, confirmCode });
    expect(await code(start(plan, null))).toBe('confirm_required');
    expect(await code(start(plan, '000000000000'))).toBe('confirm_stale');
    const other = planOf([folderStep(bench.dir, 'a')], {
      erases: [{ ...erases[0]!, content: ['xfs "letters"'] }],
      confirmText: 'photos',
    });
    expect(await code(start(other, preview.confirmCode))).toBe('confirm_stale');
    expect(bench.made()).toEqual([]);
    const { id } = await start(plan, preview.confirmCode);
    expect(await bench.operations.wait(id)).toMatchObject({ state: 'succeeded' });
  });

  it('are null for a plan that erases nothing', async () => {
    const preview = await bench.operations.preview('test.make', planOf([folderStep(bench.dir, 'a')]));
    expect(preview.confirmCode).toBeNull();
    expect(preview.steps[0]).toMatchObject({
      command: expect.stringContaining(join(bench.dir, 'a')) as string,
    });
  });
});

describe('the way back', () => {
  it('stops at what has become foreign and asks: the locks stay until somebody decides', async () => {
    bench.restart('done@test.make/make-a:wait-300');
    const { id } = await bench.operations.start({
      kind: 'test.make',
      request: planOf([
        folderStep(bench.dir, 'a'),
        commandStep('fail', PROGRAMS.false, [], join(bench.dir, 'x')),
      ]),
      actor,
    });
    while (bench.operations.get(id).steps[0]?.state !== 'done') await sleep(5);
    writeFileSync(join(bench.dir, 'a.foreign'), '');
    const operation = await bench.operations.wait(id);
    expect(operation).toMatchObject({ state: 'needs-attention', verdict: 'needs-you' });
    expect(operation.evidence.at(-1)).toMatch(/belongs to somebody else/);
    expect(bench.operations.holder('test')?.id).toBe(id);
    const left = await bench.operations.resolve(id, 'leave-as-is', actor);
    expect(left).toMatchObject({ state: 'failed', canRetry: true });
    expect(bench.operations.holder('test')).toBeNull();
    expect(bench.made()).toEqual(['a', 'a.foreign']);
  });

  it('goes on from where it stopped when asked to try again', async () => {
    // A directory that is not empty is never removed: the undo fails, and succeeds once the file is away.
    bench.restart('done@test.make/make-a:wait-300');
    const { id } = await bench.operations.start({
      kind: 'test.make',
      request: planOf([
        folderStep(bench.dir, 'a'),
        commandStep('fail', PROGRAMS.false, [], join(bench.dir, 'x')),
      ]),
      actor,
    });
    while (bench.operations.get(id).steps[0]?.state !== 'done') await sleep(5);
    writeFileSync(join(bench.dir, 'a', 'photo'), '');
    expect(await bench.operations.wait(id)).toMatchObject({ state: 'needs-attention' });
    rmSync(join(bench.dir, 'a', 'photo'));
    await bench.operations.resolve(id, 'try-again', actor);
    expect(await bench.operations.wait(id)).toMatchObject({
      state: 'failed',
      error: { code: 'command_failed' },
    });
    expect(bench.made()).toEqual([]);
  });

  it('and the way forward ask again when the program that looks did not end in time', async () => {
    const slow = join(bench.dir, 'a.slow');
    const twice = join(bench.dir, 'twice');
    for (const path of [slow, twice]) writeFileSync(path, '..');
    // What only pretends to work makes the look of the folder slow once more, for the way back.
    const pretend = commandStep('pretend', PROGRAMS.env, ['cp', twice, slow], join(bench.dir, 'x'));
    const operation = await run('test.make', planOf([folderStep(bench.dir, 'a'), pretend]));
    expect(operation).toMatchObject({ state: 'failed', error: { code: 'postcondition' } });
    expect(states(operation)).toEqual(['undone', 'undone']);
    expect(bench.made()).toEqual(['a.slow', 'twice']);
  });

  it('asks instead of going back when something that cannot be brought back is gone already', async () => {
    mkdirSync(join(bench.dir, 'a'));
    mkdirSync(join(bench.dir, 'b'));
    writeFileSync(join(bench.dir, 'b', 'photo'), '');
    const operation = await run(
      'test.remove',
      planOf([removeStep(bench.dir, 'a'), removeStep(bench.dir, 'b')]),
    );
    expect(operation).toMatchObject({ state: 'needs-attention', verdict: 'needs-you' });
    expect(bench.told).toEqual(['begin', 'needsYou']);
  });
});

describe('retry', () => {
  it('asks for the same thing again and points at the first try', async () => {
    writeFileSync(join(bench.dir, 'a.foreign'), '');
    const failed = await run('test.make', planOf([folderStep(bench.dir, 'a')]));
    rmSync(join(bench.dir, 'a.foreign'));
    const again = await bench.operations.retry(failed.id, actor);
    expect(again.retryOf).toBe(failed.id);
    expect(await bench.operations.wait(again.id)).toMatchObject({ state: 'succeeded' });
    expect(await code(bench.operations.retry(again.id, actor))).toBe('operation_wrong_state');
  });
});

describe('the history', () => {
  it('is paged newest first, and an unknown operation is told as such', async () => {
    for (const name of ['a', 'b', 'c']) await run('test.make', planOf([folderStep(bench.dir, name)]));
    const first = bench.operations.page({ limit: 2 });
    expect(first.items.map((operation) => operation.seq)).toEqual([3, 2]);
    const second = bench.operations.page({ limit: 2, before: first.nextBefore });
    expect(second).toMatchObject({ items: [{ seq: 1 }], nextBefore: null });
    expect(() => bench.operations.get('nope')).toThrow(/no operation nope/);
  });

  it('keeps as many ended operations as it was told to', async () => {
    await bench.close();
    bench = openBench({ keepOperations: 2 });
    for (const name of ['a', 'b', 'c']) await run('test.make', planOf([folderStep(bench.dir, name)]));
    await bench.operations.sweep();
    expect(bench.operations.page({ limit: 10 }).items.map((operation) => operation.seq)).toEqual([3, 2]);
  });

  it('can be taken away as a shell script with every step and its way back', async () => {
    const operation = await run('test.make', planOf([folderStep(bench.dir, 'a')]));
    const script = bench.operations.script(operation.id);
    expect(script).toMatch(/^#!\/bin\/sh\n# Test\n/);
    expect(script).toContain('# 1. Make a');
    expect(script).toMatch(/mkdir .*\/a/);
    expect(script).toMatch(/# to take it back: rmdir .*\/a/);
  });
});
