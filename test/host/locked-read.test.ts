import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCommands } from '$lib/server/host/command';
import { readLocked } from '$lib/server/host/locked-read';

let folder: string;
let image: string;
const commands = createCommands();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-locked-'));
  image = join(folder, 'image');
  writeFileSync(image, '');
  truncateSync(image, 32 * 1024 ** 2);
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', 'bücher', image]);
});
afterAll(() => {
  commands.readers.close();
  rmSync(folder, { recursive: true, force: true });
});

const blkid = { program: '/usr/sbin/blkid', argv: ['-p', '-o', 'udev'], okExitCodes: [0, 2] };
const wipefs = { program: '/usr/sbin/wipefs', argv: ['--json'], okExitCodes: [0] };

test('several programs answer for one node, each with its own output and exit code', async () => {
  const [first, second] = await readLocked(commands, image, [blkid, wipefs]);
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ID_FS_TYPE=ext4') });
  expect(JSON.parse(second?.stdout ?? '')).toMatchObject({ signatures: [{ type: 'ext4', label: 'bücher' }] });
});

test('an exit code that is not expected is an error that names the program', async () => {
  const question = { ...wipefs, argv: ['--no-such-switch'] };
  await expect(readLocked(commands, image, [blkid, question])).rejects.toMatchObject({
    code: 'command_failed',
    message: expect.stringMatching(/^\/usr\/sbin\/wipefs .* ended with exit code 1/),
  });
});

test('a node that is not there is an error, never an empty answer', async () => {
  await expect(readLocked(commands, join(folder, 'gone'), [blkid])).rejects.toMatchObject({
    code: 'command_failed',
    message: expect.stringContaining('cannot be read: No such file or directory'),
  });
});

test('who looks waits until the one who changes the drive is done', async () => {
  const holder = spawn(
    '/usr/bin/flock',
    ['--exclusive', image, '/usr/bin/sh', '-c', 'echo held; sleep 0.4'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const ended = new Promise<number>((resolve) => holder.on('exit', () => resolve(performance.now())));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const [answer] = await readLocked(commands, image, [blkid]);
  const answered = performance.now();
  expect(answer?.exitCode).toBe(0);
  expect(answered).toBeGreaterThan((await ended) - 50);
});

test('a program that hangs is ended with the one that started it', async () => {
  const question = { program: '/usr/bin/perl', argv: ['-e', 'sleep 3171'], okExitCodes: [0] };
  await expect(readLocked(commands, image, [question], 500)).rejects.toMatchObject({
    code: 'command_timeout',
    message: `${image} could not be looked at: No answer came within 500 ms.`,
    remedy: expect.stringContaining('cable') as unknown,
  });
  const left = execFileSync('/usr/bin/sh', ['-c', 'pgrep -f "^/usr/bin/perl -e sleep 3171" || true']);
  expect(left.toString()).toBe('');
});

test('many questions at once are all answered, each with its own answer', async () => {
  const say = (text: string) => ({ program: '/usr/bin/echo', argv: [text], okExitCodes: [0] });
  const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
  const replies = await Promise.all(texts.map((text) => readLocked(commands, image, [say(text)])));
  expect(replies.map(([reply]) => reply?.stdout.trim())).toEqual(texts.map((text) => `${text} -- ${image}`));
});

test('after a reader was killed the next question is answered by another one', async () => {
  const suicide = { program: '/usr/bin/perl', argv: ['-e', 'kill 9, getppid'], okExitCodes: [0] };
  await expect(readLocked(commands, image, [suicide])).rejects.toMatchObject({ code: 'command_failed' });
  const [answer] = await readLocked(commands, image, [blkid]);
  expect(answer?.stdout).toContain('ID_FS_TYPE=ext4');
});
