/** An update with a real channel, real archives and a real database, in an installation laid out by the test. */
import { execFileSync } from 'node:child_process';
import {
  renameSync,
  rmSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeKey, writeManifest } from '../../src/release-manifest.mjs';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import type { Auth } from '$lib/server/auth/auth';
import { createCommands } from '$lib/server/host/command';
import { createLooks } from '$lib/server/host/looks';
import { ownProcess } from '$lib/server/host/own-process';
import type { Host } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { Operations } from '$lib/server/operations/types';
import { composeUpdates } from '$lib/server/updates/compose';
import { findPlace } from '$lib/server/updates/place';
import type { Releases } from '$lib/server/updates/releases';
import type { Updates } from '$lib/server/updates/updates';
import type { Pool } from '$lib/shared/wire/pools';
import { actor } from '../support/engine';
import { startFileServer, type FileServer } from '../support/file-server';
import { createServiceBench, type ServiceBench } from '../support/services';
import { layRelease, packRelease, type TinyRelease } from '../support/tiny-release';

interface Life {
  operations: Operations;
  updates: Updates;
  releases: Releases;
}
let bench: ServiceBench;
let server: FileServer;
let [home, channel, keyPath] = ['', '', ''];
let pools: Pick<Pool, 'label' | 'work'>[];
const lives: Life[] = [];
/** Signals that Cairn sent to itself. */
let ended: unknown[];
let running = '';
let databasePath = '';
let db: Db;

const versionsIn = (): string[] => readdirSync(join(home, 'versions')).sort();
const current = (): string => readlinkSync(join(home, 'current'));
const updatesDir = (): string => bench.services.config.updatesDir;

beforeEach(async () => {
  bench = createServiceBench();
  db = bench.db;
  server = await startFileServer();
  [home, channel, keyPath] = [join(bench.dir, 'opt'), join(bench.dir, 'channel'), join(bench.dir, 'key')];
  for (const folder of [channel, join(home, 'versions'), updatesDir()])
    mkdirSync(folder, { recursive: true });
  makeKey(keyPath);
  layRelease(join(home, 'versions/1.0.0'), { version: '1.0.0' });
  symlinkSync('versions/1.0.0', join(home, 'current'));
  pools = [];
  ended = [];
  ownProcess.isEnding = false;
  running = join(home, 'versions/1.0.0');
  databasePath = join(bench.dir, 'cairn.db');
  vi.spyOn(ownProcess, 'folder').mockImplementation(() => running);
  vi.spyOn(ownProcess, 'end').mockImplementation((status) => void ended.push(status));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(lives.splice(0).map(({ operations }) => operations.stop(0)));
  await server.close();
  closeDatabase(db);
  bench.close();
});

function release({ version, ...more }: TinyRelease, minimumVersion = '1.0.0'): void {
  packRelease(channel, { version, ...more });
  const date = '2030-01-01T00:00:00.000Z';
  writeManifest({ folder: channel, version, date, notes: 'Faster.', minimumVersion, keyPath });
  for (const name of readdirSync(channel))
    server.files.set(`/${name}`, { content: readFileSync(join(channel, name)) });
}

/** A start of Cairn on the same data, as the version that `current` leads to. */
async function start(updateChannel = channel, crashAt = ''): Promise<Life> {
  const { config, bus, feed, clock } = bench.services;
  const log = createLog('silent');
  const version = current().slice('versions/'.length);
  running = join(home, 'versions', version);
  const host = {
    commands: createCommands(),
    bootId: () => 'boot',
    argument: (argument: unknown) => String(argument),
    mounts: () => [],
    blockDevices: { current: () => [], pathOf: () => null, driveIdOf: () => null },
  } as unknown as Host;
  const operations = createOperations({
    ...{ db, host, bus, feed, clock, log, look: createLooks(host), config: { ...config, crashAt } },
  });
  operations.define({
    ...{ kind: 'test.wait', onInterrupt: 'take-back', deadlineMs: 60_000 },
    record: { begin() {}, succeed() {}, takenBack() {}, needsYou() {} },
    prepare: async () => ({
      ...{ input: {}, title: 'Wait for a file', locks: [], drives: [], erases: [], notes: [] },
      ...{ subject: { type: 'host', id: 'test', label: 'test' }, confirmText: null },
      steps: [
        {
          ...{ name: 'wait', title: 'Wait', undo: 'nothing' },
          run: { do: 'exec', program: '/usr/bin/perl', argv: ['-e', `sleep 1 until -e "${bench.dir}/go"`] },
          look: { look: 'file-there', args: { path: join(bench.dir, 'go') } },
        },
      ],
    }),
  });
  const life: Life = {
    operations,
    ...composeUpdates({
      ...{ db, bus, clock, log, version, architecture: 'x64', operations, running },
      config: {
        updateChannel,
        updateKeysPath: `${keyPath}.pub`,
        updatesDir: config.updatesDir,
        databasePath,
      },
      pools: { list: () => pools as Pool[] },
      auth: { requireFresh: () => undefined } as unknown as Auth,
    }),
  };
  lives.push(life);
  if (crashAt === '') await operations.recover();
  else void operations.recover();
  return life;
}
const state = (life: Life, id: string) => life.operations.get(id).state;
const stepStates = (life: Life, id: string): string =>
  life.operations
    .get(id)
    .steps.map(({ name, state: now }) => `${name} ${now}`)
    .join(', ');

describe('an update', () => {
  it.each([
    ['a folder', () => channel],
    ['a server', () => server.url],
  ])('from %s ends in the new version, with the database of before beside it', async (_title, from) => {
    release({ version: '1.1.0' });
    layRelease(join(home, 'versions/0.9.0'), { version: '0.9.0' });
    writeFileSync(join(updatesDir(), '0.9.0-00000000.db'), 'old');
    const old = await start(from());
    const plan = await old.releases.preview({ version: '1.1.0' });
    expect(plan.steps.map(({ name }) => name)).toEqual([
      ...['get', 'unpack', 'forget-archive', 'try', 'forget-0-9-0', 'forget-database-00000000', 'be-alone'],
      ...['save-database', 'begin-trial', 'switch', 'start-anew'],
    ]);
    expect(versionsIn()).toEqual(['0.9.0', '1.0.0']);

    const { id } = await old.releases.apply({ version: '1.1.0' }, actor);
    await vi.waitFor(() => expect(ended, stepStates(old, id)).toEqual([75]), 10_000);
    expect(current()).toBe('versions/1.1.0');
    expect(versionsIn()).toEqual(['1.0.0', '1.1.0']);
    const saved = readdirSync(updatesDir()).filter((name) => name.endsWith('.db'));
    expect(saved).toEqual([expect.stringMatching(/^1\.0\.0-[0-9a-f]{8}\.db$/)]);
    expect(lstatSync(join(updatesDir(), saved[0] ?? '')).mode & 0o777).toBe(0o600);
    await expect(old.operations.start({ kind: 'test.wait', request: {}, actor })).rejects.toMatchObject({
      code: 'locked',
    });
    const copy = new Database(join(updatesDir(), saved[0] ?? ''), { readonly: true });
    expect(copy.pragma('quick_check')).toEqual([{ quick_check: 'ok' }]);
    expect(copy.prepare('SELECT state FROM operations WHERE id = ?').get(id)).toEqual({ state: 'running' });
    copy.close();
    await old.operations.stop(60_000);

    const young = await start(from());
    expect(state(young, id)).toBe('succeeded');
    expect(young.updates.view()).toMatchObject({ version: '1.1.0', state: 'current' });
    expect(existsSync(join(updatesDir(), 'trial'))).toBe(true);
    young.releases.ready();
    expect(readdirSync(updatesDir())).toEqual(saved);
    expect(young.releases.history()).toMatchObject([{ title: 'Update Cairn 1.0.0 to 1.1.0' }]);
    await young.operations.start({ kind: 'test.wait', request: {}, actor });
    writeFileSync(join(bench.dir, 'go'), '');
  });

  it('goes on from its step after every end of the process', async () => {
    release({ version: '1.1.0' });
    // An engine that has come to its place stays there: what it did stays, what it would have noted does not.
    const startHeld = (place: string): Promise<Life> => {
      const path = join(bench.dir, `held-${place.replace('/', '-')}`);
      writeFileSync(path, `${place}:hold`);
      return start(server.url, `file:${path}`);
    };
    const isHeld = (place: string): Promise<void> =>
      vi.waitFor(
        () => expect(existsSync(join(bench.dir, `held-${place.replace('/', '-')}.reached`))).toBe(true),
        {
          ...{ timeout: 10_000, interval: 5 },
        },
      );
    const first = await startHeld('acting@update.apply/get');
    const { id } = await first.releases.apply({ version: '1.1.0' }, actor);
    await isHeld('acting@update.apply/get');
    const places = first.operations
      .get(id)
      .steps.flatMap(({ name }) => [`acting@update.apply/${name}`, `acted@update.apply/${name}`]);
    // Once the link is moved, the next start is that of the new version: there the last step is done already.
    for (const place of places.slice(1, -2)) {
      await startHeld(place);
      await isHeld(place);
    }
    ownProcess.isEnding = false;
    const life = await start(server.url);
    expect(await life.operations.wait(id)).toMatchObject({ state: 'succeeded' });
    expect(current()).toBe('versions/1.1.0');
    expect(versionsIn()).toEqual(['1.0.0', '1.1.0']);
    life.releases.ready();
    expect(readdirSync(updatesDir())).toEqual([expect.stringMatching(/^1\.0\.0-[0-9a-f]{8}\.db$/)]);
  });

  it('waits for what began meanwhile, and takes everything back when it is cancelled', async () => {
    release({ version: '1.1.0' });
    const life = await start(server.url);
    server.files.get('/cairn-1.1.0-linux-x64.tar.gz')!.slowMs = 300;
    const { id } = await life.releases.apply({ version: '1.1.0' }, actor);
    const { id: other } = await life.operations.start({ kind: 'test.wait', request: {}, actor });
    await vi.waitFor(
      () =>
        expect(life.operations.get(id).steps.find(({ name }) => name === 'be-alone')?.state).toBe('acting'),
      10_000,
    );
    await vi.waitFor(() =>
      expect(life.operations.get(id).progress?.text).toBe('Waits for the end of "Wait for a file".'),
    );
    life.operations.cancel(id, actor);
    expect((await life.operations.wait(id)).state).toBe('cancelled');
    expect([current(), versionsIn(), readdirSync(updatesDir())]).toEqual(['versions/1.0.0', ['1.0.0'], []]);
    writeFileSync(join(bench.dir, 'go'), '');
    await life.operations.wait(other);
    expect(ended).toEqual([]);
  });

  it('is refused while something is at work, by name', async () => {
    release({ version: '1.1.0' });
    const life = await start();
    pools = [{ label: 'tank', work: [{ kind: 'resync', title: 'Resync', percent: 1 }] as Pool['work'] }];
    await life.operations.start({ kind: 'test.wait', request: {}, actor });
    await expect(life.releases.apply({ version: '1.1.0' }, actor)).rejects.toMatchObject({
      code: 'update_busy',
      message: 'At work now: "Wait for a file" (0 %), the pool "tank" (resync).',
    });
    writeFileSync(join(bench.dir, 'go'), '');
  });

  it('waits for what is at work where that is wanted, and names it; never for a decision of somebody', async () => {
    release({ version: '1.1.0' });
    const life = await start();
    const { id: other } = await life.operations.start({ kind: 'test.wait', request: {}, actor });
    const request = { version: '1.1.0', whenIdle: true };
    expect((await life.releases.preview(request)).notes[0]).toBe(
      'It is got now, and taken in use after the end of: "Wait for a file" (0 %).',
    );
    const { id } = await life.releases.apply(request, actor);
    await vi.waitFor(
      () => expect(life.operations.get(id).progress?.text).toBe('Waits for the end of "Wait for a file".'),
      10_000,
    );
    expect([current(), ended]).toEqual(['versions/1.0.0', []]);
    db.$client.prepare("UPDATE operations SET state = 'needs-attention' WHERE id = ?").run(other);
    await expect(life.releases.preview(request)).rejects.toMatchObject({
      message: 'At work now: "Wait for a file" (waits for a decision).',
    });
    db.$client.prepare("UPDATE operations SET state = 'running' WHERE id = ?").run(other);
    writeFileSync(join(bench.dir, 'go'), '');
    await vi.waitFor(() => expect(ended, stepStates(life, id)).toEqual([75]), 10_000);
    expect([current(), state(life, other)]).toEqual(['versions/1.1.0', 'succeeded']);
  });

  it('is refused for what is not newer, not shown, not suitable, or not installed', async () => {
    release({ version: '1.2.0' }, '1.1.0');
    const life = await start();
    await expect(life.releases.preview({ version: '1.2.0' })).rejects.toMatchObject({
      code: 'update_unsuitable',
    });
    release({ version: '1.3.0' });
    await expect(life.releases.preview({ version: '1.2.0' })).rejects.toMatchObject({
      code: 'update_changed',
    });
    expect(() => findPlace(bench.dir, '1.0.0')).toThrow(
      expect.objectContaining({ code: 'update_not_installed' }),
    );
  });

  it('is refused when there is no room for it, before anything is got', async () => {
    release({ version: '1.1.0' });
    const life = await start();
    // A hole of a file: as large as no disk has room for.
    databasePath = join(bench.dir, 'large.db');
    writeFileSync(databasePath, '');
    truncateSync(databasePath, 2 ** 43);
    const crowded = await start();
    await expect(crowded.releases.apply({ version: '1.1.0' }, actor)).rejects.toMatchObject({
      code: 'update_no_room',
      message: expect.stringMatching(/has .* free; the update needs 8(\.0)? TiB there/) as string,
    });
    expect([current(), versionsIn(), readdirSync(updatesDir())]).toEqual(['versions/1.0.0', ['1.0.0'], []]);
    expect((await life.releases.preview({ version: '1.1.0' })).steps.length).toBeGreaterThan(0);
  });

  const unfit: [title: string, more: Record<string, string>, says: RegExp][] = [
    [
      'that needs a program that is not here',
      { 'host-packages.txt': 'required frobnicate frob\n' },
      /not installed: frob\. .*install\.sh/,
    ],
    [
      'that is started in another way',
      { 'systemd/cairn.service': '[Unit]\n' },
      /started by the system in another way/,
    ],
    [
      'whose compiled parts do not load',
      { 'node_modules/better-sqlite3/index.js': 'throw new Error("no such libc")' },
      /no such libc/,
    ],
  ];
  it.each(unfit)('to a version %s leaves everything as it is', async (_title, more, says) => {
    release({ version: '1.1.0', more });
    const life = await start();
    const { id } = await life.releases.apply({ version: '1.1.0' }, actor);
    expect(await life.operations.wait(id)).toMatchObject({
      state: 'failed',
      error: { code: 'command_failed', message: expect.stringMatching(says) as string },
    });
    expect([current(), versionsIn(), readdirSync(updatesDir())]).toEqual(['versions/1.0.0', ['1.0.0'], []]);
  });

  it('does not take an archive that is not what was signed', async () => {
    release({ version: '1.1.0' });
    const name = 'cairn-1.1.0-linux-x64.tar.gz';
    const bytes = readFileSync(join(channel, name));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
    writeFileSync(join(channel, name), bytes);
    const life = await start();
    const { id } = await life.releases.apply({ version: '1.1.0' }, actor);
    expect(await life.operations.wait(id)).toMatchObject({
      state: 'failed',
      error: { code: 'download_failed' },
    });
    expect([current(), versionsIn(), readdirSync(updatesDir())]).toEqual(['versions/1.0.0', ['1.0.0'], []]);
  });

  /** Ends the process, and begins another as the service manager does. */
  async function restart({ operations }: Life, starts = 1): Promise<void> {
    await operations.stop(60_000);
    lives.length = 0;
    closeDatabase(db);
    for (let left = starts; left > 0; left -= 1)
      execFileSync('/bin/sh', ['src/before-start.sh', home, bench.dir], { stdio: 'ignore' });
    db = openDatabase(join(bench.dir, 'cairn.db'));
    ownProcess.isEnding = false;
  }

  it('to a version that does not become ready ends in the one before, which says so', async () => {
    release({ version: '1.1.0' });
    const old = await start();
    const { id } = await old.releases.apply({ version: '1.1.0' }, actor);
    await vi.waitFor(() => expect(ended, stepStates(old, id)).toEqual([75]), 10_000);
    await restart(old, 3);
    expect(current()).toBe('versions/1.0.0');
    const back = await start();
    expect(await back.operations.wait(id)).toMatchObject({
      state: 'failed',
      verdict: 'continued',
      error: {
        code: 'foreign_state',
        message: expect.stringContaining('Version 1.1.0 was started and did not become ready') as string,
      },
    });
    back.releases.ready();
    expect(versionsIn()).toEqual(['1.0.0']);
    expect(ended).toEqual([75]);
    expect(readdirSync(updatesDir()).filter((name) => !name.startsWith('left-'))).toEqual(['failed']);

    // It may be tried again, also after that.
    const { id: again } = await back.releases.apply({ version: '1.1.0' }, actor);
    await vi.waitFor(() => expect(ended, stepStates(back, again)).toEqual([75, 75]), 10_000);
    await restart(back);
    const young = await start();
    expect(young.operations.get(again).state).toBe('succeeded');
  });

  const migrations = (...tags: string[]): Record<string, string> => ({
    'drizzle/meta/_journal.json': JSON.stringify({
      entries: tags.map((tag, idx) => ({ idx, tag, when: idx + 1 })),
    }),
  });
  it.each([
    ['keeps the database that the earlier version knows', migrations('0000_a'), 'succeeded'],
    ['brings the saved database back where it does not', migrations('0000_a', '0001_b'), 'failed'],
  ])('that is gone back from %s', async (_title, more, outcome) => {
    layRelease(join(home, 'versions/0.8.0'), { version: '0.8.0', more: migrations('0000_a') });
    symlinkSync('versions/0.8.0', join(home, 'current.new'));
    renameSync(join(home, 'current.new'), join(home, 'current'));
    rmSync(join(home, 'versions/1.0.0'), { recursive: true });
    release({ version: '1.1.0', more }, '0.8.0');
    const old = await start();
    await expect(old.releases.previewRollBack()).rejects.toMatchObject({ code: 'update_no_way_back' });
    const { id } = await old.releases.apply({ version: '1.1.0' }, actor);
    await vi.waitFor(() => expect(ended, stepStates(old, id)).toEqual([75]), 10_000);
    await restart(old);
    const young = await start();
    young.releases.ready();
    expect(young.operations.get(id).state).toBe('succeeded');

    const plan = await young.releases.previewRollBack();
    expect(plan.loses.length).toBe(outcome === 'failed' ? 1 : 0);
    if (outcome === 'failed')
      await expect(young.releases.rollBack(null, actor)).rejects.toMatchObject({ code: 'confirm_required' });
    const { id: back } = await young.releases.rollBack(plan.confirmCode, actor);
    await vi.waitFor(() => expect(ended, stepStates(young, back)).toEqual([75, 75]), 10_000);
    await restart(young);
    expect(current()).toBe('versions/0.8.0');
    const earlier = await start();
    earlier.releases.ready();
    const asked = outcome === 'failed' ? id : back;
    expect((await earlier.operations.wait(asked)).state).toBe(outcome);
    expect(earlier.operations.page({ limit: 10 }).items.map((one) => one.id)).toEqual(
      outcome === 'failed' ? [id] : [back, id],
    );
    expect(existsSync(join(updatesDir(), 'trial'))).toBe(false);
  });
});
