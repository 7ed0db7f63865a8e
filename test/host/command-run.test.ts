import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCommands } from '$lib/server/host/command';
import { livingMembers } from '$lib/server/host/process-group';
import { supervisorScript } from '$lib/server/host/supervisor';
import type { CommandLine, ProcessIdentity, SupervisedCommand } from '$lib/server/host/types';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';

const SH = '/usr/bin/sh';
const commands = createCommands([SH, '/usr/bin/true', '/usr/bin/nothing-here', '/usr/bin/sleep']);

let folder: string;
let before: Traces;
beforeEach(() => {
  before = traces();
  folder = mkdtempSync(join(tmpdir(), 'cairn-command-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await expectNoLeaks(before, folder);
});

function shell(script: string, more: Partial<SupervisedCommand> = {}) {
  const lines: CommandLine[] = [];
  const started: ProcessIdentity[] = [];
  const recordPath = join(folder, 'record');
  const end = commands.run({
    program: SH,
    argv: ['-c', script],
    timeoutMs: 20_000,
    recordPath,
    signal: new AbortController().signal,
    onStarted: (identity) => started.push(identity),
    onLine: (line) => lines.push(line),
    ...more,
  });
  return { end, lines, started, recordPath };
}
const texts = (lines: CommandLine[]): string[] => lines.map((line) => line.text);
const untilTrue = (what: () => boolean) => expect.poll(what, { timeout: 5_000, interval: 5 }).toBe(true);

test('output comes a line at a time, with the exit code at the end', async () => {
  const { end, lines, recordPath } = shell('echo one; echo two >&2; printf "no newline"; exit 7');
  expect(await end).toMatchObject({ exitCode: 7, signal: null });
  expect(texts(lines.filter((line) => line.stream === 'stdout'))).toEqual(['one', 'no newline']);
  expect(texts(lines.filter((line) => line.stream === 'stderr'))).toEqual(['two']);
  expect((await commands.readRecord(recordPath)).lines).toEqual(lines);
});

test('lines arrive while the program still runs', async () => {
  const go = join(folder, 'go');
  const { end, lines } = shell(`echo first; while [ ! -e ${go} ]; do sleep 0.01; done; echo second`);
  await untilTrue(() => texts(lines).includes('first'));
  expect(texts(lines)).toEqual(['first']);
  writeFileSync(go, '');
  await end;
  expect(texts(lines)).toEqual(['first', 'second']);
});

test('no line of a talkative program is lost', async () => {
  const { end, lines } = shell('i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done');
  expect((await end).exitCode).toBe(0);
  expect(texts(lines)).toEqual(Array.from({ length: 20_000 }, (_, index) => `line ${index}`));
});

test('a very long line is kept in pieces, and output beyond the limit is left out with a note', async () => {
  const { end, lines, recordPath } = shell(
    'head -c 20000 /dev/zero | tr "\\0" x; echo; yes | head -c 40000000',
  );
  expect((await end).exitCode).toBe(0);
  expect(lines.slice(0, 3).map((line) => line.text.length)).toEqual([8_192, 8_192, 3_616]);
  expect(lines.at(-1)?.text).toMatch(/more output than Cairn keeps/);
  expect(readFileSync(recordPath).length).toBeLessThan(17 * 1024 ** 2);
});

test('standard input reaches the program whole, also when it is large', async () => {
  const text = 'x'.repeat(300_000);
  const { end, lines } = shell('wc -c', { stdin: text });
  await end;
  expect(texts(lines)).toEqual(['300000']);
});

test('the program sees a closed standard input, the C locale and nothing of our environment', async () => {
  const { end, lines } = shell('cat; env | grep -v ^_ | grep -v ^PWD | sort');
  await end;
  expect(texts(lines)).toEqual([
    'LC_ALL=C',
    'LVM_SUPPRESS_FD_WARNINGS=1',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  ]);
});

test('the identity is known before the program can act; when it cannot be committed, the program never acts', async () => {
  const acted = join(folder, 'acted');
  let seen = true;
  const first = shell(`touch ${acted}`, { onStarted: () => void (seen = existsSync(acted)) });
  await first.end;
  expect([seen, existsSync(acted)]).toEqual([false, true]);
  rmSync(acted);
  const second = shell(`touch ${acted}`, {
    onStarted: () => {
      throw new Error('database is full');
    },
  });
  await expect(second.end).rejects.toThrow('database is full');
  await sleep(100);
  expect(existsSync(acted)).toBe(false);
});

test('when Cairn dies before the gate is opened, the program is not run and the record says so', async () => {
  const recordPath = join(folder, 'record');
  const acted = join(folder, 'acted');
  const supervisor = spawn(
    '/usr/bin/perl',
    ['-e', supervisorScript(), recordPath, '5000', '', SH, '-c', `touch ${acted}`],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  supervisor.stdin.write('0\n');
  supervisor.stdin.end();
  await new Promise((resolve) => supervisor.on('exit', resolve));
  const record = await commands.readRecord(recordPath);
  expect(record.end).toMatchObject({ exitCode: 125 });
  expect(record.lines[0]?.text).toMatch(/was not run/);
  expect(existsSync(acted)).toBe(false);
});

test('a program goes on to its end, with its output kept, when the process that started it is killed', async () => {
  const recordPath = join(folder, 'record');
  const parent = spawn(
    '/usr/bin/perl',
    [
      '-e',
      // A stand-in for Cairn: opens the gate, then waits to be killed.
      'open my $s, "|-", "setsid", "/usr/bin/perl", "-e", @ARGV or die; $s->autoflush(1); print $s "0\\nG"; close STDOUT; sleep 60',
      supervisorScript(),
      recordPath,
      '20000',
      '',
      SH,
      '-c',
      'echo begun; sleep 0.5; echo ended; exit 4',
    ],
    { stdio: 'ignore' },
  );
  await untilTrue(() => existsSync(recordPath) && readFileSync(recordPath, 'utf8').includes('begun'));
  parent.kill('SIGKILL');
  await untilTrue(() => readFileSync(recordPath, 'utf8').includes('\nX '));
  const record = await commands.readRecord(recordPath);
  expect(texts(record.lines)).toEqual(['begun', 'ended']);
  expect(record.end?.exitCode).toBe(4);
});

test('a command that needs a drive for itself waits until nobody looks at it', async () => {
  const drive = join(folder, 'drive');
  writeFileSync(drive, '');
  const holder = spawn(
    '/usr/bin/perl',
    ['-e', 'open my $d, "<", shift; flock $d, 1; $| = 1; print "held\\n"; sleep 60', drive],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const { end, lines } = shell('echo alone', { lockDrive: drive });
  await sleep(200);
  expect(texts(lines)).toEqual([]);
  holder.kill('SIGKILL');
  expect((await end).exitCode).toBe(0);
  expect(texts(lines)).toEqual(['alone']);
});

test('the lock of a drive that is gone is not taken, and nothing is left in its place', async () => {
  const drive = join(folder, 'pulled');
  const { end, lines } = shell('echo alone', { lockDrive: drive });
  expect((await end).exitCode).toBe(75);
  expect(lines[0]?.text).toMatch(/cannot open/);
  expect(existsSync(drive)).toBe(false);
});

test('cancel ends the whole group, grandchildren and deaf ones too, before it answers', async () => {
  const abort = new AbortController();
  const { end, lines, started } = shell('trap "" TERM; sleep 300 & echo ready; sleep 300', {
    signal: abort.signal,
  });
  await untilTrue(() => texts(lines).includes('ready'));
  abort.abort();
  await expect(end).rejects.toMatchObject({ code: 'cancelled' });
  expect(started.flatMap(livingMembers)).toEqual([]);
});

test('a program that stops on TERM is cancelled at once, and its last words are kept', async () => {
  const abort = new AbortController();
  const { end, lines, recordPath } = shell(
    'trap "echo bye; exit 9" TERM; echo ready; while :; do sleep 0.02; done',
    {
      signal: abort.signal,
    },
  );
  await untilTrue(() => texts(lines).includes('ready'));
  const at = performance.now();
  abort.abort();
  await expect(end).rejects.toMatchObject({ code: 'cancelled' });
  expect(performance.now() - at).toBeLessThan(1_500);
  expect(texts(lines)).toContain('bye');
  expect((await commands.readRecord(recordPath)).end?.exitCode).toBe(9);
});

test('a program that takes too long is ended and named', async () => {
  const { end, started } = shell('sleep 300', { timeoutMs: 150 });
  await expect(end).rejects.toMatchObject({ code: 'command_timeout' });
  expect(started.flatMap(livingMembers)).toEqual([]);
});

test('a daemon that keeps the output open does not hold up the command', async () => {
  const at = performance.now();
  const { end, started } = shell('sleep 300 & echo started');
  expect((await end).exitCode).toBe(0);
  expect(performance.now() - at).toBeLessThan(2_000);
  for (const identity of started) await commands.endGroup(identity);
});

test('when all of it is killed, the end says so instead of "success"', async () => {
  const { end, lines, started } = shell('echo ready; sleep 300');
  await untilTrue(() => texts(lines).includes('ready'));
  process.kill(-(started[0]?.pid ?? 0), 'SIGKILL');
  expect(await end).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
});

test('an orphan that was stopped is woken and ended', async () => {
  const { end, lines, started } = shell('echo ready; sleep 300');
  await untilTrue(() => texts(lines).includes('ready'));
  const [identity] = started;
  if (!identity) throw new Error('not started');
  process.kill(-identity.pid, 'SIGSTOP');
  expect(commands.isAlive(identity)).toBe(true);
  expect(await commands.waitForEnd(identity, 30)).toBe(false);
  await commands.endGroup(identity, 300);
  expect(commands.isAlive(identity)).toBe(false);
  await end;
});

test('a process that has our number by chance is never taken for ours, nor ended', async () => {
  const stranger = spawn('/usr/bin/sleep', ['60'], { detached: true, stdio: 'ignore' });
  const pid = stranger.pid ?? 0;
  const { bootId } = (await identityOfTrue()) ?? { bootId: '' };
  const ours = { pid, startTicks: 1, bootId };
  expect(commands.isAlive(ours)).toBe(false);
  await commands.endGroup(ours);
  expect(commands.isAlive({ ...ours, bootId: 'another boot' })).toBe(false);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  process.kill(pid, 'SIGKILL');
});
async function identityOfTrue(): Promise<ProcessIdentity | undefined> {
  const { end, started } = shell('true');
  await end;
  return started[0];
}

test('a program that cannot be started ends with 127, not with success', async () => {
  const broken = join(folder, 'broken');
  writeFileSync(broken, '#!/no/such/interpreter\n', { mode: 0o755 });
  commands.allow([broken]);
  const { end, lines } = shell('', { program: broken, argv: [] });
  expect((await end).exitCode).toBe(127);
  expect(lines[0]?.text).toMatch(/cannot run/);
});

test('only listed programs are run, and a missing one is named', async () => {
  await expect(commands.read('/usr/bin/id', [])).rejects.toMatchObject({ code: 'command_not_allowed' });
  await expect(commands.read('/usr/bin/nothing-here', [])).rejects.toMatchObject({
    code: 'program_missing',
    details: { program: '/usr/bin/nothing-here' },
  });
});

test('arguments reach the program as they are: no shell reads them', async () => {
  const { stdout } = await commands.read(SH, ['-c', 'printf "%s|" "$@"', 'sh', '$(id)', 'a b', '*', '--']);
  expect(stdout).toBe('$(id)|a b|*|--|');
});

test('reading: an exit code that is not expected is an error with the last words, complaints alone are not', async () => {
  expect(await commands.read(SH, ['-c', 'echo warning >&2; echo fine'])).toMatchObject({ stdout: 'fine\n' });
  expect(await commands.read(SH, ['-c', 'exit 2'], { okExitCodes: [0, 2] })).toMatchObject({ exitCode: 2 });
  await expect(commands.read(SH, ['-c', 'echo no medium >&2; exit 3'])).rejects.toMatchObject({
    code: 'command_failed',
    details: { exitCode: 3, stderr: 'no medium' },
  });
});

test('reading ends with its timeout or its signal, grandchildren included', async () => {
  await expect(commands.read(SH, ['-c', 'sleep 300 & sleep 300'], { timeoutMs: 100 })).rejects.toMatchObject({
    code: 'command_timeout',
  });
  const abort = new AbortController();
  const reading = commands.read(SH, ['-c', 'sleep 300'], { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
});

test('the supervisor costs less than 15 ms over starting the program alone', async () => {
  const [raw, supervised]: [number[], number[]] = [[], []];
  for (let round = 0; round < 15; round += 1) {
    let at = performance.now();
    await new Promise((resolve) => spawn('/usr/bin/true').on('exit', resolve));
    raw.push(performance.now() - at);
    at = performance.now();
    await shell('', { program: '/usr/bin/true', argv: [] }).end;
    supervised.push(performance.now() - at);
  }
  // The best of each: what the machine does beside the test is not what is measured.
  expect(Math.min(...supervised) - Math.min(...raw)).toBeLessThan(15);
});
