/** Plugins from the data directory: whole ones make real pools, broken ones are shown with the reason and harm nobody. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '$lib/server/pools/create';
import type { PluginView } from '$lib/shared/wire/plugins';
import { createStorageStack, TESTER, type StorageStack } from '../support/storage-stack';

const FIXTURES = fileURLToPath(new URL('../fixtures/plugins', import.meta.url));
const signaturesOn = (path: string): string =>
  execFileSync('/usr/sbin/wipefs', ['--no-act', '--', path], { encoding: 'utf8' }).trim();

let stack: StorageStack;
let checkedAfterMs: number;
beforeAll(async () => {
  stack = await createStorageStack({ drives: 2, plugins: FIXTURES });
  const began = performance.now();
  await stack.plugins.refresh();
  checkedAfterMs = performance.now() - began;
});
afterAll(() => stack.close());

const view = (id: string): PluginView => {
  const found = stack.plugins.list().find((plugin) => plugin.id === id);
  if (!found) throw new Error(`${id} is not listed`);
  return found;
};
const request = (plugin: string, options: Record<string, number> = {}) => ({
  label: plugin,
  plugin,
  layout: 'single',
  drives: [{ serial: stack.loops.drives[0]?.serial ?? '' }],
  options,
});

describe('a third-party plugin', () => {
  it.each([
    ['plain-ext2', 'ext2', { inodeBytes: 128 }],
    ['plain-xfs', 'xfs', {}],
  ])('%s makes a real pool, keeps files in it, and removes it', async (id, filesystem, options) => {
    expect(view(id)).toMatchObject({ origin: 'third-party', available: true, reason: null });
    const { guid, operation } = await stack.create(request(id, options as Record<string, number>));
    expect(operation.error).toBeNull();
    const pool = stack.pools.get(guid);
    expect(pool).toMatchObject({
      ...{ state: 'ready', plugin: id, poolStatus: 'active', mounted: true, options },
      // What it has no method for is refused with the reason, and not a verb that fails.
      verbs: { unmount: { allowed: false, why: expect.stringContaining('cannot unmount') as string } },
    });
    expect(pool.sizeBytes).toBeGreaterThan(200 * 1024 ** 2);
    expect(stack.host.mounts().find((mount) => mount.path === pool.mountPath)).toMatchObject({ filesystem });
    writeFileSync(join(pool.mountPath, 'file'), 'content');
    const identity = JSON.parse(readFileSync(join(pool.mountPath, '.cairn/pool.json'), 'utf8')) as unknown;
    expect(identity).toMatchObject({ guid, plugin: id });
    expect((await stack.remove(guid)).error).toBeNull();
    expect(signaturesOn(stack.loops.drives[0]?.path ?? '')).toBe('');
  });

  it('shows the form that follows from its declared options', () => {
    expect(view('plain-ext2').form).toMatchObject([
      { name: 'inodeBytes', type: 'integer', default: 256, min: 128, max: 1024 },
    ]);
  });

  it('has its options checked like those of a plugin of the house', async () => {
    await expect(
      createPool(stack, request('plain-ext2', { inodeBytes: 7 }), { actor: TESTER }),
    ).rejects.toMatchObject({ issues: [{ field: 'options.inodeBytes' }] });
  });
});

describe('a pool without drives', () => {
  const PASSWORD = 'hunter2 of the test';
  const wish = (options: Record<string, string>, drives: { serial: string }[] = []) => ({
    ...{ label: 'afar', plugin: 'elsewhere', layout: 'share', drives, options },
  });
  /** Everything that Cairn has written down. */
  const written = (): string =>
    execFileSync('/usr/bin/grep', ['-rlaF', '--', PASSWORD, stack.config.dataDir], {
      encoding: 'utf8',
    }).trim();

  it('is refused by the name of each option, and with a drive', async () => {
    const serial = stack.loops.drives[0]?.serial ?? '';
    await expect(
      createPool(stack, wish({ server: 'x' }, [{ serial }]), { actor: TESTER }),
    ).rejects.toMatchObject({
      issues: expect.arrayContaining([
        expect.objectContaining({ code: 'too_many_drives', field: 'drives' }),
        expect.objectContaining({ code: 'option_invalid', field: 'options.server', remedy: 'Give a path.' }),
        expect.objectContaining({ code: 'option_invalid', field: 'options.password' }),
      ]) as unknown,
    });
    await expect(
      createPool(stack, wish({ server: '/x', password: 'two\nlines' }), { actor: TESTER }),
    ).rejects.toMatchObject({ issues: [{ code: 'option_invalid', field: 'options.password' }] });
  });

  it('tells when its server is away, and has its password in one file and nowhere else', async () => {
    const server = join(stack.config.dataDir, 'server');
    writeFileSync(server, '');
    const asked = await createPool(stack, wish({ server, password: PASSWORD }), { actor: TESTER });
    const guid = asked.poolGroupGuid;
    expect((await stack.operations.wait(asked.operation.id)).state).toBe('succeeded');
    await stack.pools.refresh(guid);
    expect(stack.pools.get(guid)).toMatchObject({
      ...{
        state: 'ready',
        poolStatus: 'active',
        members: [],
        source: `elsewhere-${guid}`,
        options: { server },
      },
      toleranceText: 'leaves its drives to the server',
    });
    const secrets = join(stack.config.dataDir, 'pool-secrets', guid);
    expect(readFileSync(secrets, 'utf8')).toBe(`password=${PASSWORD}\n`);
    expect(statSync(secrets).mode & 0o777).toBe(0o600);
    expect(written()).toBe(secrets);

    rmSync(server);
    await stack.pools.refresh(guid);
    expect(stack.pools.get(guid)).toMatchObject({
      ...{ state: 'error', errorMessage: 'It is away.', poolStatus: 'failed', mounted: true },
    });
    expect((await stack.run('pool.unmount', { poolGroupGuid: guid })).error).toBeNull();
    await stack.pools.refresh(guid);
    expect(stack.pools.get(guid)).toMatchObject({
      ...{ state: 'unmounted', poolStatus: 'missing' },
      verbs: { mount: { allowed: false, why: 'It is away.' } },
    });
    writeFileSync(server, '');
    expect((await stack.run('pool.mount', { poolGroupGuid: guid })).error).toBeNull();
    await stack.pools.refresh(guid);
    expect(stack.pools.get(guid)).toMatchObject({ state: 'ready', errorMessage: null, mounted: true });

    const removed = await stack.remove(guid);
    expect(removed.error).toBeNull();
    expect(existsSync(secrets)).toBe(false);
  });
});

describe('a plugin that is broken', () => {
  it.each([
    ['throws-at-load', 'the plugin is broken at the top'],
    ['declares-wrong-things', 'version 1'],
    ['declares-wrong-things', 'must be an absolute path'],
    ['declares-wrong-things', 'destroy'],
    ['hangs-in-check', 'took longer than 10 s'],
    ['checks-garbage', 'check gave an answer that it must not give'],
  ])('(%s) is listed as unavailable, says "%s", and refuses to be used', async (id, reason) => {
    const shown = view(id);
    expect(shown).toMatchObject({ origin: 'third-party', available: false });
    expect(shown.reason).toContain(reason);
    expect(shown.remedy).toBeTruthy();
    await expect(createPool(stack, request(id), { actor: TESTER })).rejects.toMatchObject({
      issues: [{ code: 'plugin_unavailable', field: 'plugin' }],
    });
  });

  it('does not keep the others waiting longer than the one that hangs may take', () => {
    expect(checkedAfterMs).toBeLessThan(12_000);
    for (const id of ['btrfs', 'single-drive']) expect(view(id)).toMatchObject({ available: true });
  });

  it('and plans to run a program that it does not declare is stopped before anything is done', async () => {
    const path = stack.loops.drives[0]?.path ?? '';
    await expect(createPool(stack, request('runs-undeclared'), { actor: TESTER })).rejects.toMatchObject({
      code: 'bug',
      message: expect.stringContaining('runs /usr/bin/dd, which it does not declare') as string,
    });
    expect(stack.pools.list()).toEqual([]);
    expect(signaturesOn(path)).toBe('');
  });

  it('and reads with a program that it does not declare gets no answer', async () => {
    await expect(stack.plugins.status('runs-undeclared', {} as never)).rejects.toMatchObject({
      code: 'command_not_allowed',
    });
  });

  it('and gives a status that is none is told apart from a pool that is well', async () => {
    const { guid, operation } = await stack.create(request('answers-garbage'));
    expect(operation.state).toBe('succeeded');
    expect(stack.pools.get(guid)).toMatchObject({
      health: 'unknown',
      poolStatus: null,
      healthText: expect.stringContaining('status gave an answer that it must not give') as string,
    });
    // The pools of others are as readable as before.
    const other = { ...request('single-drive'), drives: [{ serial: stack.loops.drives[1]?.serial ?? '' }] };
    const well = await stack.create(other);
    expect(stack.pools.get(well.guid)).toMatchObject({ health: 'healthy' });
    for (const one of [guid, well.guid]) expect((await stack.remove(one)).error).toBeNull();
    expect(stack.pools.list()).toEqual([]);
  });
});
