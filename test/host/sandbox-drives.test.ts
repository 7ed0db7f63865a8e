import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import { systemClock } from '$lib/server/clock';
import { readConfig } from '$lib/server/config';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createDrives, type Drives } from '$lib/server/drives/drive';
import { defineDriveOperations } from '$lib/server/drives/operations';
import { createBus } from '$lib/server/events/bus';
import { createFeed } from '$lib/server/events/feed';
import { createHost, type LiveHost } from '$lib/server/host/host';
import { createLooks } from '$lib/server/host/looks';
import { loopsOf } from '$lib/server/host/loops';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import type { Operations } from '$lib/server/operations/types';
import { expectNoLeaks, traces, type Traces } from '../support/leaks';

const ACTOR: Actor = { kind: 'system', id: 'test', name: 'test', role: 'admin', sessionId: null };
const SIZE = 128 * 1024 ** 2;

/** What is read in milliseconds on an idle machine may take seconds on a busy one. */
const eventually = <T>(what: () => T) => expect.poll(what, { timeout: 10_000, interval: 10 });

let before: Traces;
let folder: string;
let db: Db;
let host: LiveHost;
let drives: Drives;
let operations: Operations;
let pool: { guid: string; label: string } | null;

beforeEach(async () => {
  before = traces();
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-sandbox-')));
  const config = readConfig({ CAIRN_SANDBOX: '1', CAIRN_DATA_DIR: folder });
  for (const path of [config.sandboxDir, config.recordsDir]) mkdirSync(path);
  const log = createLog('silent');
  const bus = createBus(log);
  const feed = createFeed();
  db = openDatabase(config.databasePath);
  migrateDatabase(db, 'drizzle');
  pool = null;
  host = await createHost({ config, log, bus, sandboxDir: config.sandboxDir });
  operations = createOperations({
    db,
    host,
    look: createLooks(host),
    bus,
    feed,
    clock: systemClock,
    config,
    log,
  });
  drives = createDrives({
    db,
    host,
    bus,
    feed,
    clock: systemClock,
    config,
    log,
    poolOf: () => pool,
    operationOf: (lock) => operations.holder(lock)?.id ?? null,
  });
  defineDriveOperations(operations, { db, host, drives, config, clock: systemClock, log });
  await host.start();
  drives.start();
});
afterEach(async () => {
  await operations.stop(5_000);
  drives.stop();
  await host.stop();
  for (const name of readdirSync(join(folder, 'sandbox'))) detach(name.replace('.img', ''));
  closeDatabase(db);
  rmSync(folder, { recursive: true, force: true });
  await expectNoLeaks(before, folder);
});

const fileOf = (serial: string): string => join(folder, 'sandbox', `${serial}.img`);
function detach(serial: string): void {
  for (const loop of loopsOf(fileOf(serial))) execFileSync('/usr/sbin/losetup', ['--detach', loop]);
}
async function perform(kind: string, request: JsonObject): Promise<Operation> {
  const { id } = await operations.start({ kind, request, actor: ACTOR });
  return operations.wait(id);
}
const create = (count: number): Promise<Operation> =>
  perform('sandbox.create-drives', { count, sizeBytes: SIZE });
const sandboxDrives = () => drives.list().filter((drive) => drive.sandbox);
const serials = (): (string | null)[] => sandboxDrives().map((drive) => drive.serial);
const free = (): Promise<void> =>
  eventually(() => sandboxDrives().map(({ group, probed }) => `${group} ${probed}`)).toEqual(
    sandboxDrives().map(() => 'free true'),
  );

test('sandbox drives are made with serials of this installation, and are free for a pool', async () => {
  expect(await create(2)).toMatchObject({ state: 'succeeded', error: null });
  await free();
  const [first = '', second = ''] = serials().map(String);
  expect(first).toMatch(/^SBX-[0-9A-F]{4}-01$/);
  expect(second).toBe(first.replace(/01$/, '02'));
  expect(sandboxDrives()[0]).toMatchObject({
    id: `drive-${first.toLowerCase()}`,
    issues: [],
    sizeBytes: SIZE,
    contentHash: 'blank',
  });
  const { size, blocks } = statSync(fileOf(first));
  expect([size, blocks * 512 < SIZE / 10]).toEqual([SIZE, true]);
});

test('more drives get new numbers, also after one was removed', async () => {
  await create(2);
  await free();
  const last = sandboxDrives()[1];
  expect(await perform('sandbox.remove-drive', { driveId: last?.id ?? '' })).toMatchObject({
    state: 'succeeded',
  });
  expect([serials().length, existsSync(fileOf(last?.serial ?? ''))]).toEqual([1, false]);
  await create(1);
  await eventually(() => serials().length).toBe(2);
});

test('after a restart of the machine every drive is attached again, with its partitions', async () => {
  await create(2);
  await free();
  const [one] = sandboxDrives();
  execFileSync('/usr/sbin/sfdisk', ['--quiet', one?.path ?? ''], {
    input: 'label: gpt\nsize=50M\nsize=20M\n',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  for (const serial of serials()) detach(String(serial));
  await eventually(() => sandboxDrives().map((drive) => drive.group)).toEqual(['gone', 'gone']);
  expect(await perform('sandbox.attach-drives', {})).toMatchObject({ state: 'succeeded' });
  await eventually(() => drives.get(one?.id ?? '').partitions.map((partition) => partition.number)).toEqual([
    1, 2,
  ]);
  expect(sandboxDrives().map((drive) => drive.present)).toEqual([true, true]);
});

test('attaching when everything is attached does nothing and succeeds', async () => {
  await create(1);
  const path = sandboxDrives()[0]?.path;
  expect(await perform('sandbox.attach-drives', {})).toMatchObject({ state: 'succeeded' });
  expect(loopsOf(fileOf(String(serials()[0])))).toEqual([path]);
});

test('a drive that is mounted or in a pool is not removed, and the refusal says why', async () => {
  await create(1);
  await free();
  const [one] = sandboxDrives();
  const path = join(folder, 'mnt');
  mkdirSync(path);
  execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', one?.path ?? '']);
  execFileSync('/usr/bin/mount', [one?.path ?? '', path]);
  try {
    await eventually(() => drives.get(one?.id ?? '').group).toBe('in-use');
    await expect(perform('sandbox.remove-drive', { driveId: one?.id ?? '' })).rejects.toMatchObject({
      code: 'drive_in_use',
      message: expect.stringContaining(path) as string,
    });
  } finally {
    execFileSync('/usr/bin/umount', [path]);
  }
  pool = { guid: 'g', label: 'tank' };
  await expect(perform('sandbox.remove-drive', { driveId: one?.id ?? '' })).rejects.toMatchObject({
    code: 'drive_in_pool',
  });
  expect(existsSync(fileOf(one?.serial ?? ''))).toBe(true);
});

test('a drive with content is removed only after exactly that content was confirmed', async () => {
  await create(1);
  await free();
  const [one] = sandboxDrives();
  const request = { driveId: one?.id ?? '' };
  expect(await operations.preview('sandbox.remove-drive', request)).toMatchObject({
    erases: [],
    confirmCode: null,
  });
  const fill = (label: string): void =>
    void execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-F', '-L', label, one?.path ?? '']);
  fill('photos');
  const preview = await operations.preview('sandbox.remove-drive', request);
  expect(preview).toMatchObject({
    erases: [{ serial: one?.serial, content: ['ext4 "photos"'] }],
    confirmText: one?.serial,
  });
  await expect(perform('sandbox.remove-drive', request)).rejects.toMatchObject({ code: 'confirm_required' });
  const confirmed = { kind: 'sandbox.remove-drive', request, actor: ACTOR, confirmCode: preview.confirmCode };

  // Whatever came onto it since, also unseen, is not what was confirmed.
  fill('letters');
  await expect(operations.start(confirmed)).rejects.toMatchObject({ code: 'confirm_stale' });
  expect(existsSync(fileOf(one?.serial ?? ''))).toBe(true);

  const { confirmCode } = await operations.preview('sandbox.remove-drive', request);
  const started = await operations.start({ ...confirmed, confirmCode });
  expect(await operations.wait(started.id)).toMatchObject({ state: 'succeeded' });
  expect(existsSync(fileOf(one?.serial ?? ''))).toBe(false);
});

test('when a drive cannot be made, those made before it are taken back', async () => {
  await create(1);
  await free();
  const blocker = fileOf(String(serials()[0]).replace(/01$/, '03'));
  const started = await operations.start({
    kind: 'sandbox.create-drives',
    request: { count: 2, sizeBytes: SIZE },
    actor: ACTOR,
  });
  mkdirSync(blocker);
  const ended = await operations.wait(started.id);
  rmSync(blocker, { recursive: true });
  expect(ended.state).not.toBe('succeeded');
  expect(readdirSync(join(folder, 'sandbox'))).toHaveLength(1);
});

test.each([
  [{ count: 0, sizeBytes: SIZE }, 'invalid_input', 'count'],
  [{ count: 1, sizeBytes: 10 }, 'invalid_input', 'sizeBytes'],
  [{ count: 1, sizeBytes: SIZE, colour: 'red' }, 'unknown_field', undefined],
])('a request that cannot be carried out is refused with the field: %j', async (request, code, field) => {
  await expect(perform('sandbox.create-drives', request)).rejects.toMatchObject({
    code,
    issues: [field ? { field } : { code }],
  });
  expect(readdirSync(join(folder, 'sandbox'))).toEqual([]);
});

test('a real drive can never be removed', async () => {
  const real = drives.list().find((drive) => drive.present && !drive.sandbox);
  await expect(perform('sandbox.remove-drive', { driveId: real?.id ?? 'none' })).rejects.toMatchObject({
    code: real ? 'not_supported' : 'drive_not_found',
  });
});
