import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '$lib/server/config';
import { createBus } from '$lib/server/events/bus';
import { createHost, type LiveHost } from '$lib/server/host/host';
import { createLog } from '$lib/server/log';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { makeLoopDrives, type LoopDrive, type LoopDrives } from '../support/loop-drives';

let before: Traces;
let loops: LoopDrives;
let one: LoopDrive;
let host: LiveHost;
let path: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  before = traces();
  loops = makeLoopDrives(1);
  [one] = loops.drives as [LoopDrive];
  path = join(loops.directory, 'my pool');
  mkdirSync(path);
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', 'fotos für alle', one.path]);
  execFileSync('/usr/bin/mount', [one.path, path]);
  const log = createLog('silent');
  host = await createHost({ config: readConfig({}), log, bus: createBus(log), sandboxDir: loops.directory });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await new Promise((resolve) =>
      (child.exitCode ?? child.signalCode) !== null ? resolve(0) : child.on('exit', resolve),
    );
  }
  await host.stop();
  loops.cleanUp();
  await expectNoLeaks(before, loops.directory);
});
/** A process that has its working directory, or an open file, in the mount. */
function user(program: string, argv: string[], cwd: string): number {
  const child = spawn(program, argv, { cwd, stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

test('processes that keep a mount busy are named, with their user and what they have open', async () => {
  expect(await host.processesUsing(path)).toEqual([]);
  const file = join(path, 'film.mkv');
  writeFileSync(file, 'x');
  const inside = user('/usr/bin/sleep', ['60'], path);
  const reader = user('/usr/bin/tail', ['-f', file], '/');
  await expect
    .poll(() => host.processesUsing(path), { timeout: 10_000 })
    .toEqual(
      [
        { pid: inside, command: 'sleep', user: 'root', path },
        { pid: reader, command: 'tail', user: 'root', path: file },
      ].sort((a, b) => a.pid - b.pid),
    );
});

test('a folder whose name only begins the same is another folder', async () => {
  mkdirSync(`${path} 2`);
  user('/usr/bin/sleep', ['60'], `${path} 2`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await host.processesUsing(path)).toEqual([]);
});

test('the sizes of a mounted filesystem add up', async () => {
  const { sizeBytes, usedBytes, availableBytes } = await host.usage(path);
  expect(sizeBytes).toBeGreaterThan(400 * 1024 ** 2);
  expect(usedBytes).toBeGreaterThan(0);
  expect(usedBytes + availableBytes).toBeLessThanOrEqual(sizeBytes);
});

test('a probe tells type, UUID and label; nothing recognised is null', async () => {
  expect(await host.probe(one.path)).toMatchObject({ type: 'ext4', label: 'fotos für alle' });
  execFileSync('/usr/bin/umount', [path]);
  execFileSync('/usr/sbin/wipefs', ['--all', one.path]);
  expect(await host.probe(one.path)).toBeNull();
  await expect(host.probe('/dev/no-such-node')).rejects.toMatchObject({ code: 'command_failed' });
});
