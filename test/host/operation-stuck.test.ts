/**
 * An operation whose program waits for the kernel and cannot be ended, as with a drive that does not answer: here it writes
 * to a frozen filesystem.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootId, readStat } from '$lib/server/host/process-group';
import { actor, commandStep, folderStep, openBench, planOf, PROGRAMS, type Bench } from '../support/engine';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { makeLoopDrives, type LoopDrives } from '../support/loop-drives';

let before: Traces;
let loops: LoopDrives;
let bench: Bench;
let path: string;
beforeEach(() => {
  before = traces();
  loops = makeLoopDrives(1);
  path = join(loops.directory, 'frozen');
  mkdirSync(path);
  const device = loops.drives[0]?.path ?? '';
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', device]);
  execFileSync('/usr/bin/mount', [device, path]);
  execFileSync('/usr/sbin/fsfreeze', ['--freeze', path]);
});
const thaw = (): unknown => execFileSync('/usr/sbin/fsfreeze', ['--unfreeze', path]);
afterEach(async () => {
  await bench.close();
  loops.cleanUp();
  await expectNoLeaks(before, loops.directory);
});

const touchStep = () => commandStep('write', PROGRAMS.touch, ['--', join(path, 'file')], join(path, 'file'));
const isStuck = (pid: number): boolean => readStat(pid)?.state === 'D';
/** The program itself: the child of the supervisor whose pid is journaled. */
function isAnyStuck(group: number): boolean {
  const children = readFileSync(`/proc/${group}/task/${group}/children`, 'utf8').trim().split(' ');
  return children.some((pid) => pid !== '' && isStuck(Number(pid)));
}
async function until(isSo: () => boolean, timeoutMs = 30_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !isSo(); await sleep(20))
    if (Date.now() > end) throw new Error('did not happen in time');
}
async function expectOthersToGoOn(): Promise<void> {
  const { id } = await bench.operations.start({
    ...{ kind: 'test.make', actor },
    request: planOf([folderStep(bench.dir, 'other')], { locks: ['another pool'] }),
  });
  expect((await bench.operations.wait(id)).state).toBe('succeeded');
}

describe('an operation whose program waits for the kernel', () => {
  it('says so when it is cancelled, holds up no other, and is taken back once the drive answers', async () => {
    bench = openBench();
    const { id } = await bench.operations.start({
      ...{ kind: 'test.make', actor },
      request: planOf([folderStep(bench.dir, 'a'), touchStep()]),
    });
    try {
      const groups = (): { pid: number }[] =>
        bench.db.$client
          .prepare('SELECT pid FROM commands WHERE operation_id = ? AND pid IS NOT NULL')
          .all(id) as { pid: number }[];
      await until(() => groups().some(({ pid }) => isAnyStuck(pid)));
      bench.operations.cancel(id, actor);
      await until(() => bench.operations.get(id).progress !== null);
      expect(bench.operations.get(id)).toMatchObject({
        ...{ state: 'running', cancelRequested: true },
        progress: { step: 1, text: expect.stringMatching(/^Waits for the kernel: \/usr\/bin\/touch/) },
      });
      expect(bench.operations.holder('test')?.id).toBe(id);
      await expectOthersToGoOn();
    } finally {
      thaw();
    }
    const operation = await bench.operations.wait(id);
    expect(operation).toMatchObject({ state: 'cancelled', progress: null });
    expect(operation.evidence.join(' ')).toContain('Waits for the kernel');
    expect(bench.made()).toEqual(['other']);
    expect(bench.operations.holder('test')).toBeNull();
  });

  it('holds up no start: it says what it waits for, and gets its verdict once the drive answers', async () => {
    bench = openBench({ crashAt: 'acting@test.make/write:wait-3600000' });
    const { id } = await bench.operations.start({
      ...{ kind: 'test.make', actor },
      request: planOf([folderStep(bench.dir, 'a'), touchStep()]),
    });
    await until(() => bench.operations.get(id).steps[1]?.state === 'acting');
    // What a Cairn that was killed leaves behind: a program in a group of its own, with its identity in the journal.
    const orphan = spawn(PROGRAMS.touch, ['--', join(path, 'file')], { detached: true, stdio: 'ignore' });
    const pid = orphan.pid ?? 0;
    try {
      await until(() => isStuck(pid));
      bench.db.$client
        .prepare(
          `INSERT INTO commands (operation_id, step_index, phase, argv, record_path, pid, start_ticks, boot_id, started_at)
           VALUES (?, 1, 'run', ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          ...[id, JSON.stringify([PROGRAMS.touch]), join(bench.dir, '..', 'no-record'), pid],
          ...[readStat(pid)?.startTicks, bootId(), Date.now()],
        );
      const operations = bench.restart();
      const begun = performance.now();
      await operations.recover();
      expect(performance.now() - begun).toBeLessThan(20_000);
      expect(operations.get(id)).toMatchObject({
        ...{ state: 'running', verdict: null },
        progress: { step: 1, text: expect.stringMatching(/^Waits for the kernel/) },
      });
      await expectOthersToGoOn();
    } finally {
      thaw();
    }
    const operation = await bench.operations.wait(id);
    expect(operation).toMatchObject({ state: 'failed', verdict: 'taken-back', progress: null });
    expect(operation.evidence.join(' ')).toContain('was still running and was ended');
    expect(bench.made()).toEqual(['other']);
  });
});
