/** Plugins of others in a real server: a strange one that is good, and those that misbehave. The others, and Cairn, go on. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginView } from '$lib/shared/wire/plugins';
import { Appliance } from '../support/appliance';
import { expectNoLeaks, traces } from '../support/leaks';
import { mustEnd } from '../crash/scenarios';
import { installPlugin, writePlugin } from '../support/trust-plugins';

const before = traces();
const folder = mkdtempSync(join(tmpdir(), 'cairn-plugins-'));
const made = new Appliance({ drives: 1, env: { CAIRN_LOG_LEVEL: 'info' } });
beforeAll(async () => {
  await made.start();
  await made.setUp();
}, 60_000);
afterAll(async () => {
  await made.remove();
  rmSync(folder, { recursive: true });
  await expectNoLeaks(before, made.dataDir);
});

/** One whole plugin, with this in its object and that at the top of its module. */
async function install(id: string, more: string, top = '', program = '/usr/bin/true'): Promise<void> {
  const path = join(folder, id);
  writePlugin(path, id, more);
  const manifest = join(path, 'plugin.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('/usr/bin/true', program));
  if (top) writeFileSync(join(path, 'plugin.js'), top);
  await mustEnd(made, 'plugin.install', await installPlugin(made, path, id));
}
async function view(id: string): Promise<PluginView> {
  const { body } = await made.rest<{ plugins: PluginView[] }>('GET', '/plugins');
  const found = body.plugins.find((plugin) => plugin.id === id);
  if (!found) throw new Error(`${id} is not listed`);
  return found;
}
async function othersGoOn(): Promise<void> {
  const began = performance.now();
  expect((await fetch(`${made.url}/api/health`)).status).toBe(200);
  expect(performance.now() - began).toBeLessThan(2_000);
  for (const id of ['single-drive', 'elsewhere']) expect(await view(id)).toMatchObject({ available: true });
}

describe('plugins of others in one server', () => {
  it('may be strange: no drives, a tmpfs for a share, asked every second', async () => {
    const path = join(folder, 'elsewhere');
    const source = fileURLToPath(new URL('../fixtures/plugins/elsewhere/plugin.js', import.meta.url));
    mkdirSync(path);
    cpSync(source, join(path, 'plugin.js'));
    const manifest = { api: 1, id: 'elsewhere', version: '0.1.0', name: 'Elsewhere', description: '' };
    const programs = ['/usr/bin/stat'];
    writeFileSync(join(path, 'plugin.json'), JSON.stringify({ ...manifest, entry: 'plugin.js', programs }));
    await mustEnd(made, 'plugin.install', await installPlugin(made, path, 'elsewhere'));
    const server = join(folder, 'server');
    writeFileSync(server, '');
    const asked = await made.rest<{ poolGroupGuid: string }>('POST', '/pools', {
      ...{ label: 'afar', plugin: 'elsewhere', layout: 'share', drives: [] },
      options: { server, password: 'hunter2 of the test' },
    });
    await mustEnd(made, 'pool.create', asked);
    await othersGoOn();
  });

  it.each([
    ['throws', 'broken at the top', "throw new Error('broken at the top');"],
    ['hangs', 'took longer than 10 s', 'await new Promise((done) => setTimeout(done, 3_600_000));'],
  ])('that %s is named with the reason, and not used', async (id, words, top) => {
    await install(id, '', top);
    const shown = await view(id);
    expect(shown.available).toBe(false);
    expect(shown.reason).toContain(words);
    await othersGoOn();
    // Each start would wait for it again.
    await mustEnd(made, 'plugin.remove', await made.rest('DELETE', `/plugins/${id}`));
  });

  it('that floods the log and its own events is held to so much and no more', async () => {
    await install(
      'floods',
      `programs: ['/usr/bin/yes'], watch: { program: '/usr/bin/yes', argv: [], needs: '/proc' },
       check: async (context) => { for (let n = 0; n < 50_000; n += 1) context.log('flood'); return { available: true }; },`,
      '',
      '/usr/bin/yes',
    );
    await expect
      .poll(() => made.output, { timeout: 10_000 })
      .toContain('/usr/bin/yes said more than 2000 lines in a second');
    await othersGoOn();
    expect(made.output.split('"flood"').length).toBeLessThan(120);
    expect(made.output).toContain('a plugin says too much');
  });

  it('that keeps the whole process waiting stays out after three starts', async () => {
    const path = join(folder, 'blocks');
    writePlugin(path, 'blocks', 'check: () => { for (;;); },');
    void installPlugin(made, path, 'blocks').catch(() => 'the server is ended before it answers');
    // What systemd's watchdog does, sooner.
    const blocked = async (): Promise<boolean> =>
      fetch(`${made.url}/api/health`, { signal: AbortSignal.timeout(2_000) }).then(
        () => false,
        () => true,
      );
    while (!(await blocked())) await sleep(100);
    await made.kill('SIGKILL');
    const states = join(made.dataDir, 'plugins/.states');
    const read = (name: string): string =>
      existsSync(join(states, name)) ? readFileSync(join(states, name), 'utf8') : '';
    /** Not only while it is loaded: its check never gives way. */
    const hasStuck = async (starts: number): Promise<void> => {
      for (let since = performance.now(); performance.now() - since < 1_000; await sleep(20)) {
        const { failedStarts } = JSON.parse(read('blocks.json')) as { failedStarts: number };
        // What the process before has left says the same.
        if (failedStarts < starts || read('acting') !== 'blocks') since = performance.now();
      }
    };
    for (let start = 2; start <= 3; start += 1) {
      const ended = made.start().then(
        () => 'ready',
        () => 'ended',
      );
      await hasStuck(start);
      await made.kill('SIGKILL');
      await ended;
    }
    await made.start();
    expect(await view('blocks')).toMatchObject({ available: false, installed: { state: 'failed' } });
    await othersGoOn();
  }, 60_000);
});
