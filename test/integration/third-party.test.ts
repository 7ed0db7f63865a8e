/** Plugins from others: looked at, trusted by name, installed by an operation that may die anywhere, disabled, removed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '$lib/server/clock';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createBus } from '$lib/server/events/bus';
import { createFeed } from '$lib/server/events/feed';
import type { LiveHost } from '$lib/server/host/host';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { Operations } from '$lib/server/operations/types';
import { createPlugins, type Plugins } from '$lib/server/plugins/registry';
import { createThirdParty, type ThirdParty } from '$lib/server/third-party/third-party';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Pool } from '$lib/shared/wire/pools';
import { actor } from '../support/engine';
import { writePlugin } from '../support/trust-plugins';

let home: string;
let db: Db;
let pools: Pick<Pool, 'plugin' | 'label'>[];
interface Life {
  plugins: Plugins;
  operations: Operations;
  thirdParty: ThirdParty;
}
let life: Life;
const lives: Life[] = [];

const host = {
  allow: () => undefined,
  bootId: () => 'boot',
  blockDevices: { current: () => [], pathOf: () => null, driveIdOf: () => null },
  mounts: () => [],
} as unknown as LiveHost;

/** A start of Cairn on the same data. @param crashAt where its operations stop for good */
async function begin(crashAt = ''): Promise<Life> {
  const log = createLog('silent');
  const [bus, feed, clock] = [createBus(log), createFeed(), systemClock];
  const plugins = await createPlugins({
    config: { thirdPartyPluginsDir: join(home, 'plugins') },
    ...{ host, feed, log },
  });
  const operations = createOperations({
    ...{ db, host, look: plugins.look, bus, feed, clock, log },
    config: {
      recordsDir: join(home, 'records'),
      crashAt,
      leaseMs: 15_000,
      keepOperations: 500,
      keepDays: 90,
    },
  });
  const thirdParty = createThirdParty({
    ...{ plugins, operations, clock, requireFresh: () => undefined },
    pools: { list: () => pools as Pool[], refresh: async () => undefined },
    found: { refresh: async () => undefined },
    vms: { list: () => [] },
  });
  life = { plugins, operations, thirdParty };
  lives.push(life);
  return life;
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'cairn-third-party-'));
  db = openDatabase(join(home, 'cairn.db'));
  migrateDatabase(db, 'drizzle');
  pools = [];
  await begin();
});
afterEach(async () => {
  await Promise.all(lives.splice(0).map(({ operations }) => operations.stop(0)));
  closeDatabase(db);
  rmSync(home, { recursive: true, force: true });
});

const from = (version = '1.0.0', more = ''): string => {
  const path = join(home, `from-${version}`);
  writePlugin(path, 'mine', more, version);
  return path;
};
const seen = (): PluginView | undefined => life.plugins.list().find(({ id }) => id === 'mine');
const folders = (): string[] =>
  existsSync(join(home, 'plugins/mine')) ? readdirSync(join(home, 'plugins/mine')).toSorted() : [];
async function install(path: string): Promise<string> {
  const { sha256, source } = await life.thirdParty.stage({ path });
  const { id } = await life.thirdParty.install({ sha256, source, trust: 'mine' }, actor);
  return (await life.operations.wait(id)).state;
}

describe('a plugin from somebody else', () => {
  it('is shown before it is run, is trusted by its name, and can be used at once', async () => {
    const path = from('1.0.0', `...(globalThis.wasRun = true, {}),`);
    const staged = await life.thirdParty.stage({ path });
    expect(staged).toMatchObject({
      ...{ id: 'mine', version: '1.0.0', source: path, replaces: null },
      programs: [{ path: '/usr/bin/true', there: true }],
    });
    expect(globalThis).not.toHaveProperty('wasRun');
    const { sha256, source } = staged;
    await expect(
      life.thirdParty.install({ sha256, source, trust: 'something' }, actor),
    ).rejects.toMatchObject({ issues: [{ code: 'plugin_not_trusted', field: 'trust' }] });
    expect(await install(path)).toBe('succeeded');
    expect(seen()).toMatchObject({
      ...{ available: true, version: '1.0.0', origin: 'third-party' },
      installed: { state: 'on', source: path, trustedBy: 'ann', sha256 },
    });
    await begin();
    expect(seen()).toMatchObject({ available: true, installed: { failedStarts: 1 } });
  });

  it('is replaced by another version, disabled, enabled, and removed when no pool needs it', async () => {
    await install(from());
    expect((await life.thirdParty.stage({ path: from('1.1.0') })).replaces).toBe('1.0.0');
    expect(await install(from('1.1.0'))).toBe('succeeded');
    expect(seen()).toMatchObject({ version: '1.1.0', available: true });
    life.thirdParty.cleanUp();
    expect(folders().filter((name) => name.startsWith('1.0.0'))).toEqual([]);
    expect(await life.thirdParty.setEnabled('mine', false)).toMatchObject({
      ...{ available: false, installed: { state: 'off' } },
    });
    await begin();
    expect(seen()).toMatchObject({ available: false, reason: 'It is disabled.' });
    expect(await life.thirdParty.setEnabled('mine', true)).toMatchObject({ available: true });
    pools = [{ plugin: 'mine', label: 'Photos' }];
    await expect(life.thirdParty.remove('mine', actor)).rejects.toMatchObject({
      code: 'plugin_in_use',
      message: 'The plugin mine is needed for the pool "Photos".',
    });
    pools = [];
    const { id } = await life.thirdParty.remove('mine', actor);
    expect(await life.operations.wait(id)).toMatchObject({ state: 'succeeded' });
    expect(seen()).toBeUndefined();
    expect(existsSync(join(home, 'plugins/mine'))).toBe(false);
  });

  it('is refused under the name of a part of Cairn, or when it is none', async () => {
    writePlugin(join(home, 'btrfs'), 'btrfs');
    await expect(life.thirdParty.stage({ path: join(home, 'btrfs') })).rejects.toMatchObject({
      code: 'plugin_built_in',
    });
    for (const path of ['relative', '/nowhere', '/dev/null', '/etc/hostname'])
      await expect(life.thirdParty.stage({ path })).rejects.toMatchObject({ code: 'plugin_unsuitable' });
    const path = from();
    const manifest = JSON.parse(readFileSync(join(path, 'plugin.json'), 'utf8')) as object;
    for (const [wrong, word] of [
      [{ id: '../etc' }, 'id'],
      [{ api: 2 }, 'api'],
      [{ entry: '../../x.js' }, 'entry'],
      [{ entry: 'away.js' }, 'away.js'],
      [{ programs: ['mkfs'] }, 'programs'],
      [{ programs: ['/usr/bin/../sbin/mkfs'] }, 'programs'],
    ] as const) {
      writeFileSync(join(path, 'plugin.json'), JSON.stringify({ ...manifest, ...wrong }));
      await expect(life.thirdParty.stage({ path })).rejects.toMatchObject({
        code: 'plugin_unsuitable',
        message: expect.stringContaining(word) as string,
      });
    }
    await expect(life.thirdParty.remove('btrfs', actor)).rejects.toMatchObject({ code: 'plugin_built_in' });
    await expect(life.thirdParty.setEnabled('btrfs', false)).rejects.toMatchObject({
      code: 'plugin_built_in',
    });
    await expect(life.thirdParty.remove('mine', actor)).rejects.toMatchObject({ code: 'plugin_not_found' });
  });

  it('comes from an address only with the checksum of what is there', async () => {
    execFileSync('/usr/bin/tar', ['-czf', join(home, 'mine.tar.gz'), '-C', from(), '.']);
    const archive = readFileSync(join(home, 'mine.tar.gz'));
    const server = createServer((_request, response) => response.end(archive)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mine.tar.gz`;
    const sha256 = createHash('sha256').update(archive).digest('hex');
    try {
      await expect(life.thirdParty.stage({ url, sha256, allowPrivate: false })).rejects.toMatchObject({
        code: 'address_not_public',
      });
      await expect(
        life.thirdParty.stage({ url, sha256: '0'.repeat(64), allowPrivate: true }),
      ).rejects.toMatchObject({ code: 'plugin_checksum' });
      expect(await life.thirdParty.stage({ url, sha256, allowPrivate: true })).toMatchObject({ source: url });
    } finally {
      server.close();
    }
  });

  it('that was changed between the look and the trust is not installed', async () => {
    const { sha256, source } = await life.thirdParty.stage({ path: from() });
    writeFileSync(join(home, 'plugins/.staged', sha256, 'plugin.js'), 'process.exit(1)');
    await expect(life.thirdParty.install({ sha256, source, trust: 'mine' }, actor)).rejects.toMatchObject({
      code: 'plugin_unsuitable',
    });
  });
});

const STEPS = {
  'plugin.install': ['make-folder', 'place-files', 'trust'],
  'plugin.remove': ['trust-no-more', 'put-away'],
};
const cells = (['plugin.install', 'plugin.remove'] as const).flatMap((kind) =>
  STEPS[kind].flatMap((step) =>
    (['begun', 'acting', 'acted', 'done'] as const).map((point) => ({ kind, step, point })),
  ),
);
describe('when Cairn dies', () => {
  it.each(cells)(
    'at $point of $step of $kind, the next start finds it whole or not there',
    async ({ kind, step, point }) => {
      const isInstall = kind === 'plugin.install';
      const path = from();
      if (!isInstall) await install(path);
      mkdirSync(join(home, 'records'), { recursive: true });
      await begin(`${point}@${kind}/${step}:wait-3600000`);
      const { sha256, source } = isInstall
        ? await life.thirdParty.stage({ path })
        : { sha256: '', source: '' };
      const { id } = await (isInstall
        ? life.thirdParty.install({ sha256, source, trust: 'mine' }, actor)
        : life.thirdParty.remove('mine', actor));
      const state = { begun: 'begun', acting: 'acting', acted: 'acting', done: 'done' }[point];
      while (life.operations.get(id).steps.find((row) => row.name === step)?.state !== state) await sleep(5);
      // The point lies a moment behind the commit.
      await sleep(50);
      await begin();
      await life.operations.recover();
      const ended = await life.operations.wait(id);
      if (isInstall) {
        const finished = ended.state === 'succeeded';
        expect(finished ? seen()?.available : seen()).toBe(finished ? true : undefined);
        expect(folders().length > 0).toBe(finished);
        // What was taken back is one call away from being there.
        if (!finished) expect(await install(path)).toBe('succeeded');
      } else {
        expect(ended.state).toBe('succeeded');
        expect(seen()).toBeUndefined();
        expect(existsSync(join(home, 'plugins/mine'))).toBe(false);
      }
    },
  );
});

describe('when Cairn dies while an installation is taken back', () => {
  it('the start in between loads it, and leaves nothing in its folder that would be in the way', async () => {
    const path = from();
    mkdirSync(join(home, 'records'), { recursive: true });
    const hold = (point: string): string => `${point}@plugin.install/trust:wait-3600000`;
    await begin(`${hold('done')},${hold('undoing')}`);
    const { sha256, source } = await life.thirdParty.stage({ path });
    const { id } = await life.thirdParty.install({ sha256, source, trust: 'mine' }, actor);
    const reached = async (state: string): Promise<void> => {
      while (life.operations.get(id).steps.at(-1)?.state !== state) await sleep(5);
    };
    await reached('done');
    life.operations.cancel(id, actor);
    await reached('undoing');
    await begin();
    await life.operations.recover();
    expect(await life.operations.wait(id)).toMatchObject({ state: 'cancelled', verdict: 'taken-back' });
    expect(existsSync(join(home, 'plugins/mine'))).toBe(false);
    expect(seen()).toBeUndefined();
  });
});
