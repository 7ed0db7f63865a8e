import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '$lib/server/errors';
import { createFeed } from '$lib/server/events/feed';
import type { Host } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import { checkPlan } from '$lib/server/plugins/plan-check';
import { createPlugins, type Plugins } from '$lib/server/plugins/registry';
import type { PoolSpec } from '$lib/plugin-api/storage';
import { trustPlugin } from '../../support/trust-plugins';

let directory: string;
let allowed: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cairn-plugins-'));
  allowed = [];
});
afterEach(() => written.clear());
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const GOOD = `
  api: 1, kind: 'storage', name: 'Mine', version: '1', description: '', programs: ['/usr/bin/true'],
  layouts: [{ id: 'single', title: 'Single', description: '', minDrives: 1, maxDrives: 1, tolerance: () => 0 }],
  options: { level: sdk.integer({ label: 'L', help: '', default: 3, min: 1, max: 9 }) },
  minimumDriveBytes: 0, usableBytes: ({ driveSizesBytes }) => driveSizesBytes[0] ?? 0,
  create: () => [], destroy: () => [], status: () => { throw new Error('oops'); },`;

/** Trusted as soon as they are loaded. */
const written = new Set<string>();
function write(id: string, body: string, file = 'plugin.js'): void {
  mkdirSync(join(directory, 'from', id), { recursive: true });
  writeFileSync(join(directory, 'from', id, file), body);
  written.add(id);
}
const module = (id: string, rest: string): string =>
  `export default (sdk) => ({ id: '${id}', ${GOOD} check: async () => ({ available: true }), ${rest} });`;

const host = (
  missing: string[] = [],
  kernel = ['ext4', 'xfs', 'btrfs'],
): Host & { allow(programs: string[]): void } => {
  const fake = {
    allow: (programs: string[]) => allowed.push(...programs),
    commands: {
      read: (program: string) =>
        missing.includes(program)
          ? Promise.reject(new AppError('program_missing', `${program} is not installed.`))
          : Promise.resolve({ stdout: '', stderr: '', exitCode: 0 }),
    },
    blockDevices: { current: () => [{ id: 'a', sizeBytes: 2_000_000_000 }], pathOf: () => null },
    mounts: () => [],
    hasFilesystem: (type: string) => kernel.includes(type),
  };
  return fake as unknown as Host & { allow(programs: string[]): void };
};
const thirdParty = (): string => join(directory, 'plugins');
async function load(missing: string[] = [], kernel?: string[], safeMode = false): Promise<Plugins> {
  for (const id of written) await trustPlugin(join(directory, 'from', id), thirdParty(), id);
  written.clear();
  const plugins = await createPlugins({
    config: { thirdPartyPluginsDir: thirdParty(), safeMode },
    host: host(missing, kernel),
    feed: createFeed(),
    log: createLog('silent'),
  });
  await plugins.refresh();
  return plugins;
}
const viewOf = (plugins: Plugins, id: string) => plugins.list().find((view) => view.id === id);

describe('plugins', () => {
  it('come from the house and from the data directory through the same checks', async () => {
    write('mine', module('mine', ''));
    write(
      'typed',
      `export default (sdk: { integer: Function }) => ({ id: 'typed', ${GOOD} check: async () => ({ available: true }) });`,
      'plugin.ts',
    );
    const plugins = await load();
    const ours = readdirSync('plugins', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => [entry.name, 'built-in']);
    expect(plugins.list().map(({ id, origin }) => [id, origin])).toEqual([
      ...ours.toSorted(),
      ['mine', 'third-party'],
      ['typed', 'third-party'],
    ]);
    for (const id of ['btrfs', 'single-drive', 'mine', 'typed'])
      expect(viewOf(plugins, id)).toMatchObject({ available: true });
    expect(viewOf(plugins, 'mine')?.form).toMatchObject([{ name: 'level', type: 'integer', default: 3 }]);
    expect(allowed).toContain('/usr/bin/true');
  });

  it.each([
    ['throws', `throw new Error('broken at the top');`, 'broken at the top'],
    ['has no default', `export const x = 1;`, 'default export'],
    ['has another id', module('other', ''), 'not the name of its folder'],
    ['speaks-another-version', module('speaks-another-version', 'api: 2,'), 'version 1'],
    ['has-no-create', module('has-no-create', 'create: undefined,'), 'create'],
    ['wants-a-shell', module('wants-a-shell', `programs: ['rm -rf /'],`), 'absolute path'],
  ])('that %s are listed with the reason, and the others work', async (title, body, reason) => {
    const id = title.replaceAll(' ', '-');
    write(id, body);
    const plugins = await load();
    expect(viewOf(plugins, id)).toMatchObject({ available: false });
    expect(viewOf(plugins, id)?.reason).toContain(reason);
    expect(viewOf(plugins, id)?.remedy).toBeTruthy();
    expect(() => plugins.storage(id)).toThrow(expect.objectContaining({ code: 'plugin_unavailable' }));
    expect(plugins.storage('btrfs').id).toBe('btrfs');
  });

  it('that lack a program say which package brings it', async () => {
    const plugins = await load(['/usr/sbin/mkfs.btrfs']);
    expect(viewOf(plugins, 'btrfs')).toMatchObject({
      available: false,
      reason: 'Not installed: /usr/sbin/mkfs.btrfs.',
      remedy: 'Install it: apt-get install btrfs-progs',
    });
    expect(viewOf(plugins, 'single-drive')?.available).toBe(true);
  });

  it('that need a filesystem which the kernel cannot mount say so, and how to get it', async () => {
    const plugins = await load([], ['ext4', 'xfs']);
    expect(viewOf(plugins, 'btrfs')).toMatchObject({
      available: false,
      reason: 'The running kernel cannot mount btrfs.',
      remedy: expect.stringContaining('linux-image') as string,
    });
    expect(viewOf(plugins, 'single-drive')?.available).toBe(true);
  });

  it('that need a filesystem which no kernel of Debian brings say where it really comes from', async () => {
    const plugins = await load([], ['ext4', 'xfs', 'btrfs']);
    expect(viewOf(plugins, 'zfs')).toMatchObject({
      available: false,
      reason: 'The running kernel cannot mount zfs.',
      remedy: expect.stringMatching(/contrib.*zfs-dkms/) as string,
    });
  });

  it('whose check failed in one bad moment are checked again until they answer', async () => {
    const failing = (id: string, times: number): void =>
      write(
        id,
        `let times = ${times};
        export default (sdk) => ({ id: '${id}', ${GOOD} check: async () => {
          times -= 1;
          if (times >= 0) throw new Error('busy');
          return { available: true };
        } });`,
      );
    failing('once', 1);
    failing('long', 2);
    const plugins = await load();
    for (const id of ['once', 'long'])
      expect(viewOf(plugins, id)).toMatchObject({ available: false, reason: 'Its check failed: busy.' });
    expect(await plugins.checkFailed()).toBe(true);
    expect(viewOf(plugins, 'once')).toMatchObject({ available: true });
    expect(viewOf(plugins, 'long')).toMatchObject({ available: false });
    expect(await plugins.checkFailed()).toBe(true);
    expect(viewOf(plugins, 'long')).toMatchObject({ available: true });
    expect(await plugins.checkFailed()).toBe(false);
  });

  it('that fail while reading a pool give an error, which does not end the process', async () => {
    write('mine', module('mine', ''));
    const plugins = await load();
    await expect(plugins.status('mine', {} as PoolSpec)).rejects.toMatchObject({
      code: 'bug',
      message: 'The plugin mine failed: oops',
    });
  });

  it('cannot run a program that they do not declare', async () => {
    const plugins = await load();
    await expect(plugins.context('btrfs').read('/usr/bin/id', [])).rejects.toMatchObject({
      code: 'command_not_allowed',
    });
  });

  it('answer a half-filled form', async () => {
    const plugins = await load();
    const question = { plugin: 'btrfs', layout: 'raid1', options: {}, driveIds: ['a', 'gone'] };
    expect(plugins.estimate(question)).toMatchObject({ usableBytes: 0, toleranceText: 'needs 1 more drive' });
    expect(plugins.estimate({ ...question, layout: 'single' })).toMatchObject({ usableBytes: 2_000_000_000 });
    expect(() => plugins.estimate({ ...question, layout: 'raid7' })).toThrow(
      expect.objectContaining({ code: 'unknown_layout' }),
    );
  });

  it('exchange done and absent for a negated look of their own', async () => {
    write('mine', module('mine', `looks: { here: async () => ({ status: 'done', evidence: '' }) },`));
    const plugins = await load();
    expect((await plugins.look({ look: 'mine/here', args: {} })).status).toBe('done');
    expect((await plugins.look({ look: 'mine/here', args: {}, negate: true })).status).toBe('absent');
    await expect(plugins.look({ look: 'mine/toString', args: {} })).rejects.toMatchObject({ code: 'bug' });
  });
});

describe('a plan', () => {
  const spec = { mountPath: '/mnt/a', drives: [{ id: 'a' }] } as PoolSpec;
  const step = (run: object) => ({
    ...{ name: 'x', title: 'x', undo: 'nothing', look: { look: 'directory', args: {} } },
    run,
  });
  it.each([
    ['a program', { do: 'exec', program: '/usr/bin/rm', argv: [] }],
    ['a drive', { do: 'exec', program: '/usr/sbin/wipefs', argv: [{ drive: 'other' }] }],
    ['a path', { do: 'write-file', path: '/etc/passwd', content: '', mode: 0o600 }],
    ['a path with dots', { do: 'remove-directory', path: '/mnt/a/../../etc' }],
  ])('that uses %s that is not its own is refused', async (_title, run) => {
    const plugin = (await load()).storage('btrfs');
    expect(() => checkPlan(plugin, spec, [step(run)] as never)).toThrow(
      expect.objectContaining({ code: 'bug' }),
    );
  });

  it('that would destroy something again after a reboot is refused', async () => {
    const plugin = (await load()).storage('btrfs');
    const wipe = step({ do: 'exec', program: '/usr/sbin/wipefs', argv: [{ drive: 'a' }] });
    const repeated = { ...wipe, look: { ...wipe.look, untilReboot: true }, destroys: ['a'] };
    expect(() => checkPlan(plugin, spec, [repeated] as never)).toThrow('repeated after a reboot');
    expect(checkPlan(plugin, spec, [{ ...wipe, destroys: ['a'] }] as never)).toHaveLength(1);
  });
});

describe('plugins from others', () => {
  it('that nobody trusted are not run', async () => {
    mkdirSync(join(thirdParty(), 'mine'), { recursive: true });
    writeFileSync(join(thirdParty(), 'mine/plugin.js'), `throw new Error('it was run');`);
    expect(viewOf(await load(), 'mine')).toMatchObject({
      available: false,
      installed: { state: 'not-trusted' },
      reason: expect.stringContaining('nobody said') as string,
    });
  });

  it.each([
    ['a file was changed', (at: string) => writeFileSync(join(at, 'plugin.js'), 'process.exit(1)')],
    ['a file was added', (at: string) => writeFileSync(join(at, 'more.js'), '')],
    ['a file became a link', (at: string) => symlinkSync('/etc/passwd', join(at, 'more.js'))],
    ['they are gone', (at: string) => rmSync(at, { recursive: true })],
  ])('are not run when %s since they were trusted', async (_what, change) => {
    write('mine', module('mine', ''));
    await load();
    change(join(thirdParty(), 'mine/1.0.0'));
    expect(viewOf(await load(), 'mine')).toMatchObject({ available: false, installed: { state: 'changed' } });
  });

  it('are not loaded in safe mode', async () => {
    write('mine', module('mine', ''));
    expect(viewOf(await load([], undefined, true), 'mine')).toMatchObject({
      available: false,
      installed: { state: 'safe-mode', failedStarts: 0 },
      remedy: expect.stringContaining('CAIRN_SAFE_MODE') as string,
    });
  });

  it('that want to run more than was shown when they were trusted are not loaded', async () => {
    write('mine', module('mine', `programs: ['/usr/bin/true', '/usr/bin/' + 'dd'],`));
    expect(viewOf(await load(), 'mine')?.reason).toContain(
      '/usr/bin/dd, which its plugin.json does not name',
    );
  });

  it('after whose loading Cairn ended three times in a row are not loaded any more, until they are enabled', async () => {
    write('mine', module('mine', ''));
    for (const failedStarts of [0, 1, 2])
      expect(viewOf(await load(), 'mine')).toMatchObject({
        available: true,
        installed: { state: 'on', failedStarts },
      });
    const plugins = await load();
    expect(viewOf(plugins, 'mine')).toMatchObject({
      available: false,
      installed: { state: 'failed', failedStarts: 3 },
    });
    plugins.installed.setEnabled('mine', true);
    await plugins.reload('mine');
    expect(viewOf(plugins, 'mine')).toMatchObject({ available: true, installed: { state: 'on' } });
  });

  it('stay when it was another one that ended the process each time', async () => {
    for (const id of ['early', 'late', 'mine']) write(id, module(id, ''));
    const acting = join(thirdParty(), '.states/acting');
    for (let start = 0; start < 4; start += 1) {
      await load();
      expect(existsSync(acting)).toBe(false);
      // As a check that never gives way leaves it.
      writeFileSync(acting, 'mine');
    }
    const plugins = await load();
    expect(viewOf(plugins, 'mine')).toMatchObject({ available: false, installed: { state: 'failed' } });
    for (const id of ['early', 'late']) expect(viewOf(plugins, id)).toMatchObject({ available: true });
  });

  it('are named while their code is waited for, and no longer', async () => {
    const acting = join(thirdParty(), '.states/acting');
    const note = join(thirdParty(), 'said');
    const say = `check: async () => { fs.writeFileSync('${note}', fs.readFileSync('${acting}')); return { available: true }; },`;
    write('mine', `import fs from 'node:fs';\n${module('mine', say)}`);
    const plugins = await load();
    await plugins.refresh();
    expect(readFileSync(note, 'utf8')).toBe('mine');
    expect(existsSync(acting)).toBe(false);
  });

  it('are cleared half a minute after the start, and by an orderly end', async () => {
    write('mine', module('mine', ''));
    const failedStarts = async () => viewOf(await load(), 'mine')?.installed?.failedStarts;
    (await load()).installed.stop();
    expect(await failedStarts()).toBe(1);
    const { installed } = await load();
    installed.ready();
    installed.stop();
    expect(await failedStarts()).toBe(0);
    const plugins = await load();
    vi.useFakeTimers();
    try {
      plugins.installed.ready();
      vi.advanceTimersByTime(30_000);
    } finally {
      vi.useRealTimers();
    }
    expect(await failedStarts()).toBe(0);
  });
});
