import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCommands } from '$lib/server/host/command';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { makeLoopDrives, type LoopDrives } from '../support/loop-drives';

const TOUCH = '/usr/bin/touch';
const commands = createCommands([TOUCH]);
let before: Traces;
let loops: LoopDrives;
let path: string;
beforeEach(() => {
  before = traces();
  loops = makeLoopDrives(1);
  path = join(loops.directory, 'frozen');
  mkdirSync(path);
  const device = loops.drives[0]?.path ?? '';
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', device]);
  execFileSync('/usr/bin/mount', [device, path]);
  // Who writes to a frozen filesystem waits in the kernel, where no signal reaches it.
  execFileSync('/usr/sbin/fsfreeze', ['--freeze', path]);
});
const thaw = (): unknown => execFileSync('/usr/sbin/fsfreeze', ['--unfreeze', path]);
afterEach(async () => {
  loops.cleanUp();
  await expectNoLeaks(before, loops.directory);
});

test('a program that cannot be ended is left behind, and the same is not asked again while it hangs', async () => {
  const argv = ['--', join(path, 'file')];
  try {
    const begun = performance.now();
    await expect(commands.read(TOUCH, argv, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'command_timeout',
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
    const again = performance.now();
    await expect(commands.read(TOUCH, argv)).rejects.toMatchObject({ code: 'command_timeout' });
    expect(performance.now() - again).toBeLessThan(200);
    // Another question is another program.
    await expect(commands.read(TOUCH, ['--version'])).resolves.toMatchObject({ exitCode: 0 });
  } finally {
    thaw();
  }
  await expect
    .poll(
      () =>
        commands.read(TOUCH, argv).then(
          ({ exitCode }) => exitCode,
          () => null,
        ),
      { timeout: 5_000 },
    )
    .toBe(0);
});
