/** Programs that keep a real pool from being unmounted, and how they are ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeaks, traces } from '../support/leaks';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const before = traces();
let stack: StorageStack;
let guid = '';
let path = '';
const children: ChildProcess[] = [];

beforeAll(async () => {
  stack = await createStorageStack({ drives: 1 });
  const [drive] = stack.loops.drives;
  const made = await stack.create({
    ...{ label: 'Busy', plugin: 'single-drive', layout: 'single', drives: [{ serial: drive?.serial ?? '' }] },
  });
  if (made.operation.state !== 'succeeded') throw new Error(made.operation.error?.message ?? 'not made');
  guid = made.guid;
  path = stack.pools.get(guid).mountPath;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await stack.close();
  await expectNoLeaks(before);
});

/** A program that works in the folder; detached, as one that nobody of ours started would be in its own session. */
async function begin(folder: string, script = 'exec sleep 600'): Promise<ChildProcess> {
  // The shell in between ends at once, so that it is nobody's child that is to be ended.
  const starter = spawn('/usr/bin/setsid', ['--fork', '/bin/sh', '-c', `echo $$; ${script}`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(starter);
  const pid = await new Promise<number>((resolve) =>
    starter.stdout?.once('data', (chunk: Buffer) => resolve(Number(chunk.toString().trim()))),
  );
  return Object.assign(starter, { holder: pid });
}
const holderOf = (child: ChildProcess): number => (child as ChildProcess & { holder: number }).holder;
const end = async (pids: number[]) => {
  const asked = await stack.operations.start({
    kind: 'pool.end-processes',
    request: { poolGroupGuid: guid, pids },
    actor: TESTER,
  });
  return stack.operations.wait(asked.id);
};
/** A zombie has ended: where PID 1 does not collect them, it stays in the list. */
const isThere = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
async function holders(): Promise<number[]> {
  return (await stack.pools.processes(guid)).map((user) => user.pid);
}

describe('programs that use a pool', () => {
  it('are ended when they were chosen, others stay, and then it can be unmounted', async () => {
    const pid = holderOf(await begin(path));
    const other = holderOf(await begin('/'));
    try {
      expect(await holders()).toContain(pid);
      const preview = await stack.operations.preview('pool.end-processes', {
        poolGroupGuid: guid,
        pids: [pid],
      });
      expect(preview.steps[0]?.title).toContain(`process ${pid}`);
      const operation = await end([pid]);
      expect(operation).toMatchObject({ state: 'succeeded', steps: [{ state: 'done' }] });
      expect(isThere(pid)).toBe(false);
      expect(isThere(other)).toBe(true);
      expect((await stack.run('pool.unmount', { poolGroupGuid: guid })).state).toBe('succeeded');
      expect((await stack.run('pool.mount', { poolGroupGuid: guid })).state).toBe('succeeded');
    } finally {
      if (isThere(other)) process.kill(other, 'SIGKILL');
    }
  });

  it('are killed when they do not hear', async () => {
    const pid = holderOf(await begin(path, "trap '' TERM; exec sleep 600"));
    await sleep(100);
    const operation = await end([pid]);
    expect(operation.state).toBe('succeeded');
    expect(isThere(pid)).toBe(false);
  }, 30_000);

  it('are refused by name when they use nothing of it, and Cairn itself always', async () => {
    const stranger = holderOf(await begin('/'));
    try {
      const refusal = (pids: number[]) =>
        end(pids).then(
          () => [],
          (error: { issues: { code: string }[] }) => error.issues.map(({ code }) => code),
        );
      expect(await refusal([stranger])).toEqual(['process_not_using']);
      expect(await refusal([1])).toEqual(['process_not_using']);
      const ours = spawn('/usr/bin/sleep', ['600'], { cwd: path });
      children.push(ours);
      await sleep(50);
      expect(await refusal([ours.pid ?? 0])).toEqual(['process_protected']);
      expect(isThere(stranger)).toBe(true);
    } finally {
      if (isThere(stranger)) process.kill(stranger, 'SIGKILL');
    }
  });
});
