/** The command `cairn` against a real server: over the local socket as root, and over the network with a key. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program';
import { ADMIN, Appliance, NO_KEEP_ALIVE } from '../support/appliance';
import { atTerminal, type Terminal } from '../support/terminal';

const made = new Appliance({ drives: 1 });
const folder = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
beforeAll(async () => {
  await made.start();
  await made.setUp();
}, 60_000);
afterAll(async () => {
  await made.remove();
  rmSync(folder, { recursive: true });
});

const COMMAND = join('src', 'cli', 'cairn');
interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}
const run = (words: string[], env: Record<string, string> = {}, input = '', timeout = 60_000): Ran =>
  spawnSync(COMMAND, words, {
    encoding: 'utf8',
    input,
    timeout,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
const cairn = (...words: string[]): Ran => run([...words, '--data-dir', made.dataDir]);
function json<T>(...words: string[]): T {
  const { status, stdout, stderr } = cairn(...words, '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as T;
}
interface Operation {
  id: string;
  state: string;
  requestedBy: string;
  title: string;
}

describe('on the host, as root', () => {
  it('shows how the appliance is, without a key', () => {
    const { status, stdout } = cairn('status');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/drives +\d+\npools +none\n/)]);
    expect(stdout).not.toContain('\u001b[');
    expect(json<{ counts: object }>('status').counts).toMatchObject({ pools: 0, machines: 0 });
  });

  it('lists what there is as a table, and as the documents of the API', async () => {
    const { drives } = json<{ drives: { serial: string }[] }>('drives');
    const lines = cairn('drives', 'list').stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^DEVICE +SERIAL +MODEL/);
    for (const { serial } of drives.filter((drive) => drive.serial?.startsWith('SBX')))
      expect(lines.some((line) => line.includes(serial))).toBe(true);
    expect(await made.rest('GET', '/drives')).toMatchObject({ body: { drives: { length: drives.length } } });
    for (const noun of ['pools', 'images', 'vms', 'networks', 'operations', 'plugins', 'alerts', 'users'])
      expect(cairn(noun).status, noun).toBe(0);
  });

  it('makes a pool and waits for it, shows it, exports what was done, and removes it when that is meant', () => {
    const { drives } = json<{ drives: { id: string; sandbox: boolean; serial: string }[] }>('drives');
    const drive = drives.find(({ sandbox }) => sandbox)?.serial ?? '';
    const words = [
      'pools',
      'create',
      'tank',
      '--plugin',
      'single-drive',
      '--layout',
      'single',
      '--drive',
      drive,
    ];
    const plan = cairn(...words, '--plan');
    expect(plan.stderr).toBe('');
    expect([plan.status, plan.stdout]).toEqual([0, expect.stringContaining('mkfs.ext4')]);
    const created = cairn(...words, '--wait', '--yes');
    expect([created.status, created.stdout]).toEqual([0, expect.stringMatching(/succeeded\n$/)]);
    expect(created.stderr).toMatch(/^1\/\d+ /m);
    expect(cairn('pools').stdout).toMatch(/tank +single-drive single +ready +active/);
    expect(cairn('pools', 'show', 'TANK').stdout).toContain(drive);

    const [last] = json<{ items: Operation[] }>('operations').items;
    expect(last).toMatchObject({ state: 'succeeded', requestedBy: 'root@host' });
    const id = last?.id.slice(0, 8) ?? '';
    expect(cairn('operations', 'script', id).stdout).toMatch(/^#!\/bin\/sh\n/);
    expect(cairn('operations', 'output', id).stdout).toContain('mkfs.ext4');
    const followed = cairn('operations', 'follow', id);
    expect([followed.status, followed.stderr]).toEqual([0, expect.stringContaining('GPT disklabel')]);

    // Nobody is there to be asked: the plan is shown, and nothing is done.
    const asked = cairn('pools', 'remove', 'tank');
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(asked.stderr).toContain(drive);
    const removed = cairn('pools', 'remove', 'tank', '--yes', '--wait', '--json');
    expect([removed.status, JSON.parse(removed.stdout)]).toMatchObject([0, { state: 'succeeded' }]);
    expect(json<{ pools: unknown[] }>('pools').pools).toEqual([]);
  });

  it('gives another password to who has forgotten theirs, which ends their sessions', async () => {
    const reset = run(
      ['users', 'reset', ADMIN.username, '--password-stdin', '--data-dir', made.dataDir],
      {},
      'another four unrelated words\n',
    );
    expect([reset.status, reset.stdout]).toEqual([0, expect.stringContaining('has the new password')]);
    const before = made.cookie;
    expect((await made.trpc('session.login', ADMIN)).status).toBe(401);
    const login = { username: ADMIN.username, password: 'another four unrelated words' };
    expect((await made.trpc('session.login', login)).status).toBe(200);
    const old = await fetch(`${made.url}/trpc/session.list`, {
      headers: { cookie: before, ...NO_KEEP_ALIVE },
    });
    expect(old.status).toBe(401);
    const weak = run(
      ['users', 'reset', 'admin', '--password-stdin', '--data-dir', made.dataDir],
      {},
      'short\n',
    );
    expect([weak.status, weak.stderr]).toEqual([4, expect.stringContaining('10 characters')]);
  });
});

describe('at a terminal', () => {
  const BAR = /\[#*-*\] +\d+ % /;
  const at = (words: string[], columns = 100, env: Record<string, string> = {}): Terminal =>
    atTerminal([COMMAND, ...words, '--data-dir', made.dataDir], { columns, env });
  const sandbox = (): string => {
    const { drives } = json<{ drives: { sandbox: boolean; serial: string }[] }>('drives');
    return drives.find((drive) => drive.sandbox)?.serial ?? '';
  };
  const make = ['pools', 'create', 'deck', '--plugin', 'single-drive', '--layout', 'single', '--wait'];

  it('draws a bar in the width that there is, asks, and tells the end in colour', async () => {
    const terminal = at([...make, '--drive', sandbox(), '--yes'], 60);
    await terminal.sees(BAR);
    expect(await terminal.ended, terminal.text()).toBe(0);
    const bars = terminal
      .raw()
      .split('\r\u001b[2K')
      .filter((part) => BAR.test(part));
    expect(bars.length).toBeGreaterThan(2);
    for (const bar of bars)
      expect([bar, bar.split('\r')[0]?.length]).toEqual([bar, expect.toSatisfy((n: number) => n < 60)]);
    // The bar is gone before the sentence is there.
    expect(terminal.raw()).toMatch(/\r\u001b\[2K[^\r]*: \u001b\[32msucceeded\u001b\[39m\r\n$/);
  });

  it('lists in colour and within the width; without colour when NO_COLOR or --json says so', async () => {
    const list = at(['drives'], 80);
    expect(await list.ended).toBe(0);
    expect(list.raw()).toContain('\u001b[');
    for (const line of list.text().trimEnd().split('\r\n'))
      expect([line, [...line].length <= 80]).toEqual([line, true]);
    const plain = at(['pools'], 100, { NO_COLOR: '1' });
    expect(await plain.ended).toBe(0);
    expect(plain.raw()).toContain('deck');
    expect(plain.raw()).not.toContain('\u001b[');
    const data = at(['pools', '--json']);
    expect(await data.ended).toBe(0);
    expect(JSON.parse(data.raw())).toMatchObject({ pools: [{ label: 'deck' }] });
  });

  it.each([
    ['n', 'n\r'],
    ['nothing', '\r'],
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('does nothing when the answer is %s, and says so', async (_title, keys) => {
    const terminal = at(['pools', 'remove', 'deck']);
    await terminal.sees(/\[y\/N\] /);
    expect(terminal.text()).toContain('erases SBX-');
    terminal.type(keys);
    expect([await terminal.ended, terminal.text()]).toEqual([
      4,
      expect.stringContaining('Nothing was done.'),
    ]);
    expect(terminal.text()).not.toMatch(/Error|node:|\.js:\d/);
    expect(json<{ pools: unknown[] }>('pools').pools).toHaveLength(1);
  });

  it('does what was shown when the answer is yes', async () => {
    const terminal = at(['pools', 'remove', 'deck', '--wait']);
    await terminal.sees(/\[y\/N\] /);
    terminal.type('y\r');
    expect([await terminal.ended, terminal.text()]).toEqual([0, expect.stringContaining('succeeded')]);
    expect(json<{ pools: unknown[] }>('pools').pools).toEqual([]);
  });

  it('shows no password that is typed, and takes it when it was typed twice', async () => {
    const typing = async (first: string, second: string): Promise<Terminal> => {
      const terminal = at(['users', 'reset', ADMIN.username]);
      await terminal.sees(/New password: /);
      terminal.type(`${first}\r`);
      await terminal.sees(/The same again: /);
      terminal.type(`${second}\r`);
      await terminal.ended;
      expect(terminal.raw()).not.toContain(first);
      return terminal;
    };
    const differs = await typing('four quite unrelated words', 'something else altogether');
    expect([await differs.ended, differs.text()]).toEqual([4, expect.stringContaining('not the same')]);
    const same = await typing('another four unrelated words', 'another four unrelated words');
    expect([await same.ended, same.text()]).toEqual([0, expect.stringContaining('has the new password')]);
    const login = { username: ADMIN.username, password: 'another four unrelated words' };
    expect((await made.trpc('session.login', login)).status).toBe(200);
  });
});

describe('what only reads', () => {
  /** Without a word of its own, and yet it changes something, asks somebody else, or writes a file. */
  const CHANGES = [
    ...['networks keep', 'update check', 'update apply', 'update skip', 'update rollback', 'boots dismiss'],
    ...['backup create', 'backup download', 'backup restore', 'support-bundle', 'man'],
  ];
  const program = buildProgram(
    () => Promise.resolve(),
    '0',
    () => undefined,
  );
  const reading = program.commands
    .flatMap((noun) =>
      (noun.commands.length > 0 ? noun.commands : [noun]).map((verb) => ({
        path: noun === verb ? [noun.name()] : [noun.name(), verb.name()],
        needed: verb.registeredArguments.filter(({ required }) => required),
      })),
    )
    .filter(({ path, needed }) => needed.length === 0 && !CHANGES.includes(path.join(' ')))
    .map(({ path }) => path);
  it.each(reading.map((path) => [path.join(' '), path] as const))(
    '%s answers people in a table and scripts in JSON',
    (_title, path) => {
      const text = cairn(...path);
      const data = cairn(...path, '--json');
      // The doctor finds something on most machines that run tests, and says so by its end.
      const ends = path[0] === 'doctor' ? [0, 1] : [0];
      expect([text.stderr, data.stderr]).toEqual(['', '']);
      expect(ends).toContain(text.status);
      expect(ends).toContain(data.status);
      expect(text.stdout.trim()).not.toBe('');
      expect(text.stdout.trimStart()).not.toMatch(/^[{[]"?/);
      expect(JSON.parse(data.stdout)).toBeTypeOf('object');
    },
  );
  it('is most of what needs no name', () => {
    expect(reading.length).toBeGreaterThan(12);
  });
});

describe('plugins check', () => {
  interface Report {
    grade: string | null;
    rules: { id: string; outcome: string; details: string[] }[];
  }
  const plugin = join(folder, 'my-pool');
  it('grades a plugin without a server, and says what it lacks', () => {
    expect(run(['plugins', 'new', plugin]).status).toBe(0);
    const ran = run(['plugins', 'check', plugin]);
    expect([ran.status, ran.stdout]).toEqual([
      0,
      expect.stringMatching(/^my-pool .*: grade B,[^]*For A: drives\n$/),
    ]);
    expect(run(['plugins', 'check', plugin, '--at-least', 'A']).status).toBe(1);
    expect(run(['plugins', 'check', join(folder, 'none')]).status).toBe(5);
  });

  const onDrives = (verb: string): Report & { notes: string[] } => {
    const ran = run(['plugins', 'check', plugin, '--verb', verb, '--json'], {}, '', 240_000);
    return JSON.parse(ran.stdout) as Report & { notes: string[] };
  };
  it('tries it on drives of a Cairn of its own, killed at every step, and leaves nothing behind', () => {
    const { rules, notes, grade } = onDrives('unmount');
    expect(rules.find(({ id }) => id === 'drives')).toMatchObject({
      outcome: 'not-tried',
      details: ['Only this was tried, and is right: unmount.'],
    });
    // Three ways forward and two on the way back, of the one step that there is.
    expect([grade, notes.at(-1)]).toEqual(['B', expect.stringMatching(/^On drives: single; killed 5 times/)]);
  }, 250_000);

  it('says what a plugin leaves on a drive', () => {
    const code = readFileSync(join(plugin, 'plugin.js'), 'utf8');
    const erase = '...(drive.present ? [sdk.wipeFilesystem(erase)] : []),';
    expect(code).toContain(erase);
    writeFileSync(join(plugin, 'plugin.js'), code.replace(erase, ''));
    const { rules, grade } = onDrives('remove');
    writeFileSync(join(plugin, 'plugin.js'), code);
    expect(rules.find(({ id }) => id === 'drives')).toMatchObject({
      outcome: 'failed',
      details: [expect.stringMatching(/^single, remove: .*something is left on SBX-\S+ \(ext2\)$/)],
    });
    expect(grade).not.toBe('A');
  }, 250_000);

  it.each([
    ['ends the process', 'process.exit(0)'],
    ['keeps everything else waiting', 'for (;;);'],
    ['says things', "console.log('hello'); throw new Error('broken')"],
  ])('outlives one that %s', (words, text) => {
    writeFileSync(join(plugin, 'plugin.js'), text);
    const { status, stdout } = run(['plugins', 'check', plugin, '--json']);
    const report = JSON.parse(stdout) as Report;
    expect([status, report.grade]).toEqual([1, null]);
    const load = report.rules.find(({ id }) => id === 'load');
    expect(load).toMatchObject({ outcome: 'failed' });
    if (words !== 'says things') expect(load?.details[0]).toContain(words);
  });
});

describe('the doctor', () => {
  it('says of each thing how it is and what to do, for people and for scripts', () => {
    interface Report {
      verdict: string;
      checks: { id: string; verdict: string; text: string; remedy: string | null }[];
    }
    const ran = cairn('doctor', '--json');
    const report = JSON.parse(ran.stdout) as Report;
    expect(ran.status).toBe(report.verdict === 'broken' ? 1 : 0);
    const found = Object.fromEntries(report.checks.map(({ id, verdict }) => [id, verdict]));
    expect(found).toMatchObject({
      ...{ database: 'ok', port: 'ok', 'local-socket': 'ok', 'data-directory': 'ok', records: 'ok' },
      ...{ 'version:losetup': 'ok', 'module:btrfs': 'ok' },
    });
    for (const { verdict, remedy, text } of report.checks) {
      expect(text).not.toBe('');
      if (verdict === 'broken') expect(remedy).not.toBeNull();
    }
    expect(cairn('doctor').stdout).toMatch(/^Cairn\n  ok +Database: It is whole\.\n/);
  });
});

describe('after a start', () => {
  interface Report {
    id: string;
    cause: string;
    isComplete: boolean;
    dismissedAt: number | null;
  }
  it('tells what happened while it was off: killed, then stopped in order', async () => {
    await made.kill('SIGKILL');
    await made.start();
    const report = json<Report>('boots', 'show', 'last');
    expect(report).toMatchObject({ cause: 'crashed', dismissedAt: null });
    expect(cairn('boots').stdout).toMatch(/crashed/);
    expect(cairn('boots', 'dismiss').status).toBe(0);
    expect((await made.rest<Report>('GET', `/boots/${report.id}`)).body.dismissedAt).not.toBeNull();
    expect(await made.rest('GET', '/boots/99999')).toMatchObject({
      status: 404,
      body: { error: { code: 'boot_not_found' } },
    });
    await made.kill('SIGTERM');
    await made.start();
    expect(json<Report>('boots', 'show')).toMatchObject({ cause: 'stopped' });
  });
});

describe('an operation that is waited for', () => {
  it('is followed to its end when Cairn dies on the way and comes back', async () => {
    const { drives } = json<{ drives: { sandbox: boolean; serial: string }[] }>('drives');
    const serial = drives.find(({ sandbox }) => sandbox)?.serial ?? '';
    const create = ['pools', 'create', 'tank', '--plugin', 'single-drive', '--layout', 'single'];
    made.crashAt('acted@pool.create/make-filesystem:alone');
    const words = [...create, '--drive', serial, '--wait', '--yes', '--data-dir', made.dataDir];
    const child = spawn(COMMAND, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', error: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.error += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(await made.ended(20_000), said.error).toBe(true);
    made.crashAt('');
    await vi.waitFor(() => expect(said.error).toContain('Cairn is away'), 10_000);
    await made.start();
    expect([await ended, said.out], said.error).toEqual([1, expect.stringMatching(/failed \(taken-back\)/)]);
    // What was told before is not told again.
    const told = said.error.match(/^\d+\/\d+ /gm) ?? [];
    expect(new Set(told).size).toBe(told.length);
    expect(json<{ pools: unknown[] }>('pools').pools).toEqual([]);
  }, 60_000);
});

describe('refused', () => {
  it('what is not there, with exit code 5 and what is', () => {
    const { status, stderr } = cairn('pools', 'show', 'nothing');
    expect([status, stderr]).toEqual([5, 'cairn: There is no pool nothing.\n']);
    expect(cairn('operations', 'show', '00000000-0000-4000-8000-000000000000').status).toBe(5);
  });

  it('what no verb is called, with exit code 2 and the nearest one', () => {
    const { status, stderr } = cairn('pols');
    expect([status, stderr]).toEqual([2, expect.stringContaining('Did you mean pools?')]);
    expect(cairn('pools', 'shwo', 'x').status).toBe(2);
    expect(cairn('pools', 'show').status).toBe(2);
  });

  it('what the server refuses, with exit code 4; as data with --json', () => {
    const words = ['pools', 'create', 'a/b', '--plugin', 'none', '--layout', 'single'];
    // One of its own: the machine has others, in any order, and some of them have no serial.
    const { drives } = json<{ drives: { serial: string | null }[] }>('drives');
    const serial = drives.find((drive) => drive.serial?.startsWith('SBX'))?.serial ?? 'none';
    const { status, stderr } = cairn(...words, '--drive', serial, '--json');
    expect([status, JSON.parse(stderr)]).toMatchObject([
      4,
      { error: { code: expect.any(String), details: { issues: expect.any(Array) } } },
    ]);
  });

  it('when nothing answers, with exit code 3', () => {
    const { status, stderr } = run(['status', '--data-dir', folder]);
    expect([status, stderr]).toEqual([3, expect.stringContaining('Cairn does not run here')]);
  });
});

describe('from elsewhere', () => {
  const far = (words: string[], env: Record<string, string> = {}): Ran =>
    run([...words, '--url', made.url], env);

  it('needs a key, from a file or the environment', () => {
    expect(far(['status']).status).toBe(2);
    const file = join(folder, 'key');
    writeFileSync(file, `${made.apiKey}\n`);
    expect(far(['status', '--key-file', file]).status).toBe(0);
    expect(far(['pools'], { CAIRN_API_KEY: made.apiKey }).status).toBe(0);
    const wrong = far(['pools'], { CAIRN_API_KEY: 'cairn_wrong' });
    expect([wrong.status, wrong.stderr]).toEqual([4, expect.stringContaining('Sign in')]);
  });

  it('may do what the role of the key allows, and never reset a password', async () => {
    const { body } = await made.trpc<{ key: string }>('apiKeys.create', { name: 'reader', role: 'viewer' });
    const refused = far(['users'], { CAIRN_API_KEY: body.key });
    expect([refused.status, refused.stderr]).toEqual([4, expect.stringContaining('admin')]);
    expect(far(['users', 'reset', 'admin', '--password-stdin'], { CAIRN_API_KEY: made.apiKey }).status).toBe(
      4,
    );
    const asked = await made.rest('POST', '/users/admin/password', {
      password: 'another four unrelated words',
    });
    expect(asked).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  });

  it('nobody becomes root by saying so', async () => {
    const answer = await fetch(`${made.url}/api/v1/users`, {
      headers: { 'x-cairn-local': 'yes', ...NO_KEEP_ALIVE },
    });
    expect(answer.status).toBe(401);
  });
});

describe('of itself', () => {
  it('tells shells its words, and has a man page with every verb', () => {
    expect(spawnSync('bash', ['-n'], { input: cairn('completion', 'bash').stdout }).status).toBe(0);
    expect(cairn('completion', 'zsh').stdout).toContain("'remove:Remove a pool");
    const page = cairn('man').stdout;
    expect(page).toMatch(/^\.TH CAIRN 8/);
    expect(page).toContain('\\fBcairn operations follow\\fR <operation>');
    expect(page).toContain('.SH EXIT STATUS');
  });

  it('completes nouns, verbs and options', () => {
    const script = `${cairn('completion', 'bash').stdout}
      COMP_WORDS=(cairn pools re); COMP_CWORD=2; _cairn; echo "\${COMPREPLY[*]}"
      COMP_WORDS=(cairn --json vms remove --f); COMP_CWORD=4; _cairn; echo "\${COMPREPLY[*]}"`;
    expect(spawnSync('bash', { input: script, encoding: 'utf8' }).stdout).toBe(
      'rename release remove\n--for-good\n',
    );
  });
  it('keeps its version that of the product', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(run(['--version']).stdout).toBe(`${version}\n`);
  });
});
