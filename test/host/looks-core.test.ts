import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { looks, not, type Action, type Look } from '$lib/plugin-api/plan';
import { readConfig } from '$lib/server/config';
import { createBus } from '$lib/server/events/bus';
import { compileAction } from '$lib/server/host/actions';
import { createHost, type LiveHost } from '$lib/server/host/host';
import { createLooks } from '$lib/server/host/looks';
import { createLog } from '$lib/server/log';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';
import { makeLoopDrives, type LoopDrive, type LoopDrives } from '../support/loop-drives';

const tool = (program: string, ...argv: string[]): void =>
  void execFileSync(program, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
// The kernel remembers every btrfs UUID it has seen: another run must not meet ours.
const [DISK, PART, UUID] = [randomUUID(), randomUUID(), randomUUID()];

let before: Traces;
let loops: LoopDrives;
let host: LiveHost;
let one: LoopDrive;
let two: LoopDrive;
let look: (look: Look) => Promise<{ status: string; evidence: string }>;
let signal: AbortSignal;
beforeEach(async () => {
  before = traces();
  loops = makeLoopDrives(2);
  [one, two] = loops.drives as [LoopDrive, LoopDrive];
  const log = createLog('silent');
  host = await createHost({ config: readConfig({}), log, bus: createBus(log), sandboxDir: loops.directory });
  look = createLooks(host);
  signal = new AbortController().signal;
});
afterEach(async () => {
  await host.stop();
  loops.cleanUp();
  await expectNoLeaks(before, loops.directory);
});

const status = async (what: Look): Promise<string> => (await look(what)).status;
/** Runs an action as the engine does. */
async function act(action: Action): Promise<void> {
  const compiled = compileAction(action, host);
  if (compiled.kind === 'in-process') return compiled.perform(signal);
  const { kind: _, okExitCodes: __, ...command } = compiled;
  const recordPath = join(loops.directory, 'record');
  const { exitCode } = await host.commands.run({
    ...command,
    recordPath,
    signal,
    onStarted: () => undefined,
    onLine: () => undefined,
  });
  expect(compiled.okExitCodes).toContain(exitCode);
}
const sfdisk = (path: string, ...lines: string[]): void =>
  void execFileSync('/usr/sbin/sfdisk', ['--quiet', path], {
    input: lines.join('\n'),
    stdio: ['pipe', 'ignore', 'ignore'],
  });

test('filesystem: absent on a blank drive, done with type and UUID, foreign with any other', async () => {
  const wanted = looks.filesystem({ drive: one.id }, 'ext4', UUID.toUpperCase());
  expect(await status(wanted)).toBe('absent');
  expect(await status(not(wanted))).toBe('done');
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-U', UUID, one.path);
  expect(await status(wanted)).toBe('done');
  expect(await status(not(wanted))).toBe('absent');
  expect(await status(looks.filesystem({ drive: one.id }, 'xfs', UUID))).toBe('foreign');
  expect(await status(looks.filesystem({ drive: one.id }, 'ext4', PART))).toBe('foreign');
  expect(await status(not(looks.filesystem({ drive: one.id }, 'ext4', PART)))).toBe('foreign');
});

test('filesystem: a partition table where a filesystem should be is foreign; a partition that is not there is absent', async () => {
  sfdisk(one.path, 'label: gpt', 'size=100M');
  expect(await status(looks.filesystem({ drive: one.id }, 'ext4', UUID))).toBe('foreign');
  expect(await status(looks.filesystem({ drive: one.id, partition: 1 }, 'ext4', UUID))).toBe('absent');
});

test('filesystem: two signatures at once are foreign, a drive that is gone is an error', async () => {
  tool('/usr/sbin/mkfs.btrfs', '--quiet', '--force', one.path);
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', two.path]);
  execFileSync(
    '/usr/bin/dd',
    [`if=${two.path}`, `of=${one.path}`, 'bs=1024', 'skip=1', 'seek=1', 'count=1', 'conv=notrunc,fsync'],
    { stdio: 'ignore' },
  );
  expect(await look(looks.filesystem({ drive: one.id }, 'btrfs', UUID))).toMatchObject({
    status: 'foreign',
    evidence: expect.stringContaining('several') as string,
  });
  loops.detach(one);
  await expect(look(looks.filesystem({ drive: one.id }, 'btrfs', UUID))).rejects.toMatchObject({
    code: 'drive_gone',
  });
});

test('partition-table: absent, done, partial with other partitions, foreign with another GUID or kind', async () => {
  const wanted = looks.partitionTable(one.id, DISK, [PART.toUpperCase()]);
  expect(await status(wanted)).toBe('absent');
  sfdisk(one.path, 'label: gpt', `label-id: ${DISK}`, `size=100M, uuid=${PART}`);
  expect(await status(wanted)).toBe('done');
  expect(await status(looks.partitionTable(one.id, DISK, []))).toBe('partial');
  expect(await status(looks.partitionTable(one.id, UUID, [PART]))).toBe('foreign');
  sfdisk(two.path, 'label: dos', 'size=100M');
  expect(await status(looks.partitionTable(two.id, DISK, [PART]))).toBe('foreign');
});

test('partition-table: a lone protective MBR is a piece, a filesystem beside it is foreign', async () => {
  sfdisk(one.path, 'label: gpt', `label-id: ${DISK}`);
  tool('/usr/sbin/wipefs', '--all', '--types', 'gpt', one.path);
  const wanted = looks.partitionTable(one.id, DISK, []);
  expect(await status(wanted)).toBe('partial');
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', two.path);
  expect(await status(looks.partitionTable(two.id, DISK, []))).toBe('foreign');
});

test('partition-node: follows "reread" and "forget"', async () => {
  sfdisk(one.path, 'label: gpt', 'size=100M');
  const wanted = looks.partitionNode(one.id, 1);
  await act({ do: 'reread-partitions', drive: one.id });
  expect(await status(wanted)).toBe('done');
  await act({ do: 'forget-partitions', drive: one.id });
  expect(await status(wanted)).toBe('absent');
  await act({ do: 'forget-partitions', drive: one.id });
});

test('blank: done when nothing is there, absent while it is what the user agreed to erase, foreign otherwise', async () => {
  expect(await status(looks.blank(one.id, 'blank'))).toBe('done');
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-L', 'photos', one.path);
  const { contentHash } = await host.blockDevices.inspect(one.id);
  expect(await look(looks.blank(one.id, contentHash))).toMatchObject({
    status: 'absent',
    evidence: expect.stringContaining('ext4 "photos"') as string,
  });
  expect(await status(looks.blank(one.id, 'blank'))).toBe('foreign');
});

test('blank: the rest of a partition table whose erasure was cut is a piece', async () => {
  sfdisk(one.path, 'label: gpt', 'size=100M');
  const { contentHash } = await host.blockDevices.inspect(one.id);
  tool('/usr/sbin/wipefs', '--all', '--types', 'gpt', one.path);
  expect(await status(looks.blank(one.id, contentHash))).toBe('partial');
});

test('mounted: absent, done with the UUID, foreign with another filesystem there', async () => {
  tool('/usr/sbin/mkfs.ext4', '-q', '-F', '-U', UUID, one.path);
  const path = join(loops.directory, 'my pool');
  await act({ do: 'make-directory', path, mode: 0o755 });
  expect(await status(looks.mounted(path, UUID))).toBe('absent');
  await act({ do: 'mount', source: { drive: one.id }, path, filesystem: 'ext4', options: ['noatime'] });
  expect(host.mounts().find((mount) => mount.path === path)?.options).toContain('noatime');
  expect(await status(looks.mounted(path, UUID))).toBe('done');
  expect(await status(looks.mounted(path, PART))).toBe('foreign');
  await expect(act({ do: 'remove-directory', path })).rejects.toThrow(/EBUSY/);
  await act({ do: 'unmount', path });
  expect(await status(looks.mounted(path, UUID))).toBe('absent');
  await act({ do: 'remove-directory', path });
});

test('mounted: a btrfs is known by its UUID through whichever member the mount table names', async () => {
  tool(
    '/usr/sbin/mkfs.btrfs',
    '--quiet',
    '--force',
    '--uuid',
    UUID,
    '-d',
    'raid1',
    '-m',
    'raid1',
    one.path,
    two.path,
  );
  const path = join(loops.directory, 'tank');
  mkdirSync(path);
  tool('/usr/bin/mount', '-o', `device=${one.path},device=${two.path}`, two.path, path);
  expect(await status(looks.mounted(path, UUID))).toBe('done');
});

test('directory and file: another kind of thing or other content is foreign', async () => {
  const path = join(loops.directory, 'thing');
  expect(await status(looks.directory(path))).toBe('absent');
  expect(await status(looks.file(path, 'a'))).toBe('absent');
  await act({ do: 'write-file', path, content: 'a', mode: 0o600 });
  expect(await status(looks.directory(path))).toBe('foreign');
  expect(await status(looks.file(path, 'a'))).toBe('done');
  expect(await status(looks.file(path, 'b'))).toBe('foreign');
  await act({ do: 'remove-file', path });
  await act({ do: 'remove-file', path });
  await act({ do: 'make-directory', path, mode: 0o750 });
  expect(await status(looks.directory(path))).toBe('done');
  expect(await status(looks.file(path, 'a'))).toBe('foreign');
});

test('a folder with something in it is never removed', async () => {
  const path = join(loops.directory, 'full');
  await act({ do: 'make-directory', path, mode: 0o755 });
  writeFileSync(join(path, 'photo.jpg'), 'x');
  await expect(act({ do: 'remove-directory', path })).rejects.toMatchObject({ code: 'foreign_state' });
  expect(await status(looks.directory(path))).toBe('done');
});

test('sparse-file and loop-attached: made, attached, detached and removed, each also twice', async () => {
  const path = join(loops.directory, 'SBX-TEST-03.img');
  const sizeBytes = 128 * 1024 ** 2;
  const [file, loop] = [looks.sparseFile(path, sizeBytes), looks.loopAttached(path)];
  expect([await status(file), await status(loop)]).toEqual(['absent', 'absent']);
  await act({ do: 'make-sparse-file', path, sizeBytes });
  await act({ do: 'make-sparse-file', path, sizeBytes });
  expect(await status(file)).toBe('done');
  await expect(act({ do: 'make-sparse-file', path, sizeBytes: sizeBytes * 2 })).rejects.toMatchObject({
    code: 'foreign_state',
  });
  await act({ do: 'attach-loop', path });
  expect(await status(loop)).toBe('done');
  await act({ do: 'detach-loop', path });
  expect(await status(loop)).toBe('absent');
  await act({ do: 'detach-loop', path });
  await act({ do: 'remove-file', path });
  expect(await status(file)).toBe('absent');
});

test("a look that is nobody's is an error, and so are arguments that do not fit", async () => {
  await expect(look({ look: 'no-such', args: {} })).rejects.toMatchObject({ code: 'bug' });
  await expect(look({ look: 'directory', args: { path: 7 } })).rejects.toThrow();
});
