import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '$lib/server/clock';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { nodeIdOf } from '$lib/server/db/node-id';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createBus, type Bus } from '$lib/server/events/bus';
import { createFeed, type Feed } from '$lib/server/events/feed';
import { createCommands } from '$lib/server/host/command';
import type { Host } from '$lib/server/host/types';
import { createImages, type Images } from '$lib/server/images/image';
import { downloadImage } from '$lib/server/images/operations';
import { createLog } from '$lib/server/log';
import { createOperations } from '$lib/server/operations/operations';
import { usesLock } from '$lib/server/operations/locks';
import type { Operations } from '$lib/server/operations/types';
import { createPlugins } from '$lib/server/plugins/registry';
import type { JsonObject } from '$lib/shared/json';
import type { Actor } from '$lib/shared/wire/session';
import type { Pool } from '$lib/shared/wire/pools';
import { catalogEntryRequest, downloadRequest } from '$lib/shared/wire/requests';
import { sha256, startFileServer, type FileServer } from '../support/file-server';

const MIB = 1024 ** 2;
const GUID = '0b5a2f0e-6a53-4b0d-9c7e-3f1d2a9b8c70';
const admin: Actor = { kind: 'user', id: 'u', name: 'ann', role: 'admin', sessionId: null };

let root: string;
let db: Db;
let bus: Bus;
let feed: Feed;
let pool: Pool;
let pools: Pool[];
let operations: Operations;
let images: Images;
let server: FileServer;
let content: Buffer;
let neededBy: string[];

async function open(crashAt = ''): Promise<void> {
  const log = createLog('silent');
  bus = createBus(log);
  feed = createFeed();
  const host = {
    allow: () => undefined,
    commands: createCommands([]),
    blockDevices: { current: () => [], pathOf: () => null },
    mounts: () => [],
    hasFilesystem: () => true,
    argument: String,
    bootId: () => 'this-boot',
  } as unknown as Host & { allow(programs: string[]): void };
  const config = { mountRoot: join(root, 'mnt'), thirdPartyPluginsDir: join(root, 'none') };
  const plugins = await createPlugins({ config, host, feed, log });
  operations = createOperations({
    ...{ db, host, look: plugins.look, bus, feed, clock: systemClock, log },
    config: {
      recordsDir: join(root, 'records'),
      crashAt,
      leaseMs: 15_000,
      keepOperations: 500,
      keepDays: 90,
    },
  });
  images = createImages({
    ...{ db, bus, feed, clock: systemClock, log, operations, pools: { list: () => pools } },
    ...{
      commands: createCommands([]),
      mounts: () => [],
      foldersOfOthers: ['machines'],
      neededBy: () => neededBy,
    },
  });
  images.start();
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cairn-images-'));
  mkdirSync(join(root, 'tank'));
  db = openDatabase(join(root, 'cairn.db'));
  migrateDatabase(db, 'drizzle');
  pool = {
    ...{ guid: GUID, label: 'Tank', state: 'ready', mounted: true, mountPath: join(root, 'tank') },
    ...{ availableBytes: 1024 * MIB, members: [{}] },
  } as unknown as Pool;
  pools = [pool];
  neededBy = [];
  server = await startFileServer();
  content = randomBytes(2 * MIB);
  server.files.set('/live-13.iso', { content });
  await open();
});
afterEach(async () => {
  await images.stop();
  await operations.stop(2_000);
  closeDatabase(db);
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const request = (change: Record<string, unknown> = {}) =>
  downloadRequest.parse({
    ...{ url: `${server.url}/live-13.iso`, poolGuid: GUID, allowPrivate: true, checksum: sha256(content) },
    ...change,
  });
const begin = (change: Record<string, unknown> = {}, actor = admin) =>
  downloadImage({ images, operations }, request(change), actor);
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );
const here = () => images.list().filter(({ badge }) => badge !== 'needs-download');
const until = async (fits: () => boolean): Promise<void> => {
  for (let tries = 0; !fits() && tries < 400; tries += 1) await sleep(10);
  expect(fits()).toBe(true);
};

describe('a downloaded image', () => {
  it('is listed with its real path, pool and node, also after a restart', async () => {
    const { id } = await begin();
    expect(here()[0]?.badge).toBe('downloading');
    expect((await operations.wait(id)).state).toBe('succeeded');
    const path = join(root, 'tank/images/live-13.iso');
    const wanted = {
      ...{
        badge: 'ready',
        path,
        nodeId: nodeIdOf(db),
        kind: 'iso',
        format: 'iso',
        sizeBytes: content.length,
      },
      ...{ pool: { guid: GUID, label: 'Tank' }, operationId: null },
    };
    expect(here()[0]).toMatchObject(wanted);
    expect(readFileSync(path).equals(content)).toBe(true);
    await images.stop();
    await open();
    expect(here()[0]).toMatchObject(wanted);
    expect(feed.get('images', here()[0]?.id ?? '')).toMatchObject(wanted);
  });

  it('is one download however often it is asked for meanwhile', async () => {
    server.files.set('/live-13.iso', { content, slowMs: 20 });
    const first = await begin();
    expect((await begin()).id).toBe(first.id);
    await operations.wait(first.id);
    expect(await refusal(begin())).toBe('image_exists');
    expect(here()).toHaveLength(1);
  });

  it('is one download also for two who ask in the same moment', async () => {
    const [one, two] = await Promise.all([begin(), begin()]);
    expect(two.id).toBe(one.id);
    expect((await operations.wait(one.id)).state).toBe('succeeded');
    expect(here()).toHaveLength(1);
  });

  it('leaves nothing when it is cancelled', async () => {
    server.files.set('/live-13.iso', { content, slowMs: 30 });
    const { id } = await begin();
    await until(() => existsSync(join(root, 'tank/images/live-13.iso.part')));
    operations.cancel(id, admin);
    expect((await operations.wait(id)).state).toBe('cancelled');
    expect(readdirSync(join(root, 'tank/images'))).toEqual([]);
    expect(here()).toEqual([]);
  });

  it('is missing, not forgotten, while its pool is away or its file is gone, and ready when it is back', async () => {
    await operations.wait((await begin()).id);
    pools = [{ ...pool, mounted: false }];
    bus.emit('pools.changed', {});
    expect(here()[0]).toMatchObject({ badge: 'missing', badgeText: 'The pool "Tank" is not mounted.' });
    pools = [pool];
    bus.emit('pools.changed', {});
    await until(() => here()[0]?.badge === 'ready');
    rmSync(join(root, 'tank/images/live-13.iso'));
    // Seen by itself: nobody asked.
    await until(() => here()[0]?.badge === 'missing');
    writeFileSync(join(root, 'tank/images/live-13.iso'), content);
    await until(() => here()[0]?.badge === 'ready');
  });

  it('is deleted with its file; of one whose pool is unknown only the entry goes', async () => {
    await operations.wait((await begin()).id);
    const id = here()[0]?.id ?? '';
    const gone = await operations.start({ kind: 'image.remove', request: { imageId: id }, actor: admin });
    expect((await operations.wait(gone.id)).state).toBe('succeeded');
    expect(readdirSync(join(root, 'tank/images'))).toEqual([]);
    expect(here()).toEqual([]);
    await operations.wait((await begin()).id);
    pools = [];
    const entry = here()[0]?.id ?? '';
    const left = await operations.start({ kind: 'image.remove', request: { imageId: entry }, actor: admin });
    expect((await operations.wait(left.id)).state).toBe('succeeded');
    expect(existsSync(join(root, 'tank/images/live-13.iso'))).toBe(true);
    expect(here()).toEqual([]);
  });
});

describe('a pool that a download writes to', () => {
  const poolWork = (locks: string[]) =>
    operations.start({ kind: 'test.pool', request: { locks }, actor: admin });
  it('cannot be taken by another operation meanwhile, and takes several downloads at once', async () => {
    operations.define({
      ...{ kind: 'test.pool', onInterrupt: 'take-back', deadlineMs: 1_000 },
      prepare: (asked) =>
        Promise.resolve({
          ...{ input: {}, title: 'Change', subject: { type: 'pool', id: GUID, label: 'Tank' }, steps: [] },
          ...{ locks: asked['locks'] as string[], drives: [], erases: [], confirmText: null, notes: [] },
        }),
      record: {
        begin: () => undefined,
        succeed: () => undefined,
        takenBack: () => undefined,
        needsYou: () => undefined,
      },
    });
    const other = randomBytes(MIB);
    server.files.set('/live-13.iso', { content, slowMs: 20 });
    server.files.set('/other.iso', { content: other, slowMs: 20 });
    const first = await begin();
    const second = await begin({ url: `${server.url}/other.iso`, checksum: sha256(other) });
    expect(await refusal(poolWork([`pool:${GUID}`]))).toBe('locked');
    const ended = await Promise.all([operations.wait(first.id), operations.wait(second.id)]);
    expect(ended.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    const change = await poolWork([`pool:${GUID}`]);
    expect((await operations.wait(change.id)).state).toBe('succeeded');
    expect(usesLock('pool:x')).toBe('uses:pool:x');
  });
});

describe('a download is refused', () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      'of an entry that the catalog does not have',
      { url: undefined, catalogId: 'windows-3.1' },
      'image_not_found',
    ],
    ['onto a pool that is not there', { poolGuid: '5f0c35b5-24cb-4b6b-8e5c-0a9de4d6f001' }, 'pool_not_found'],
    ['from what is no web address', { url: 'ftp://e.org/x.iso' }, 'url_invalid'],
    ['from an address with a password', { url: 'https://me:secret@e.org/x.iso' }, 'url_invalid'],
    ['into a name that climbs', { file: '../../etc/passwd.iso' }, 'file_name_invalid'],
    ['into a name that tells no format', { file: 'image' }, 'file_name_invalid'],
    ['with a checksum that is none', { checksum: 'abc' }, 'checksum_invalid'],
    ['from this host unless it is allowed', { allowPrivate: false }, 'address_not_public'],
  ])('%s', async (_what, change, code) => {
    expect(await refusal(begin(change))).toBe(code);
    expect(here()).toEqual([]);
  });
  it('of what is not there, by its status', async () => {
    expect(await refusal(begin({ url: `${server.url}/none.iso` }))).toBe('download_failed');
  });
  it('when its list of checksums does not have it', async () => {
    server.files.set('/SUMS', { content: Buffer.from(`${sha256(content)}  other.iso\n`) });
    expect(await refusal(begin({ checksum: `${server.url}/SUMS` }))).toBe('checksum_unknown');
    server.files.set('/SUMS', { content: Buffer.from(`${sha256(content)}  live-13.iso\n`) });
    expect((await operations.wait((await begin({ checksum: `${server.url}/SUMS` })).id)).state).toBe(
      'succeeded',
    );
  });
  it('when the pool has too little room, is not mounted, or the name is taken', async () => {
    pools = [{ ...pool, availableBytes: MIB }];
    expect(await refusal(begin())).toBe('pool_full');
    pools = [{ ...pool, mounted: false }];
    expect(await refusal(begin())).toBe('pool_wrong_state');
    pools = [pool];
    mkdirSync(join(root, 'tank/images'));
    writeFileSync(join(root, 'tank/images/live-13.iso'), 'mine');
    expect(await refusal(begin({ checksum: undefined }))).toBe('file_exists');
    // With a checksum the new one gets a name of its own, and the other file stays.
    expect((await operations.wait((await begin()).id)).state).toBe('succeeded');
    expect(readFileSync(join(root, 'tank/images/live-13.iso'), 'utf8')).toBe('mine');
  });
  it('from a private network for those who are no administrators', async () => {
    expect(await refusal(begin({}, { ...admin, role: 'operator' }))).toBe('forbidden');
  });
});

describe('an image that somebody put onto a pool', () => {
  /** Written a while ago, unless said otherwise. */
  const put = (path: string, bytes = 4096, secondsAgo = 60): void => {
    const at = join(root, 'tank', path);
    mkdirSync(join(at, '..'), { recursive: true });
    writeFileSync(at, Buffer.alloc(bytes));
    const when = Date.now() / 1_000 - secondsAgo;
    utimesSync(at, when, when);
  };
  const files = () =>
    here()
      .map(({ path }) => path?.slice(join(root, 'tank').length + 1))
      .sort();

  it('is found, with what its name tells, and is found once', async () => {
    put('isos/debian-12.5.0-amd64-netinst.iso');
    put('vms/debian-12-genericcloud-amd64.qcow2');
    put('old/nas.vmdk');
    expect(await images.lookAgain()).toEqual({ found: 3, pools: 1, incomplete: [], notLookedAt: [] });
    expect(here().find(({ kind }) => kind === 'iso')).toMatchObject({
      ...{ origin: 'scanned', badge: 'ready', format: 'iso', sizeBytes: 4096, arch: 'x86_64' },
      ...{ name: 'debian-12.5.0-amd64-netinst.iso', os: { id: 'debian', version: '12.5' } },
      ...{ path: join(root, 'tank/isos/debian-12.5.0-amd64-netinst.iso'), pool: { guid: GUID } },
    });
    // Its user is known from the catalog: a machine can be made from it.
    expect(here().find(({ kind }) => kind === 'cloud')?.defaultUser).toBe('debian');
    expect((await images.lookAgain()).found).toBe(0);
    expect(here()).toHaveLength(3);
  });

  it('is not looked for in hidden folders, those of machines, or behind links', async () => {
    put('.snapshots/old/a.iso');
    put('machines/web/disk.qcow2');
    put('images/.b.iso');
    put('images/c.iso.part');
    put('notes.txt');
    expect((await images.lookAgain()).found).toBe(0);
  });

  it('is found by itself when its pool is mounted, and when it comes into the folder of images', async () => {
    pools = [{ ...pool, mounted: false }];
    bus.emit('pools.changed', {});
    put('deep/er/a.iso');
    expect(await images.lookAgain()).toMatchObject({ found: 0, pools: 0 });
    pools = [pool];
    bus.emit('pools.changed', {});
    await until(() => files().includes('deep/er/a.iso'));
    mkdirSync(join(root, 'tank/images'));
    await images.refresh();
    put('b.iso');
    renameSync(join(root, 'tank/b.iso'), join(root, 'tank/images/b.iso'));
    await until(() => files().includes('images/b.iso'));
  });

  it('is listed once it has been quiet for a moment, and its size follows', async () => {
    mkdirSync(join(root, 'tank/images'));
    await images.refresh();
    put('images/a.iso', 1000, 0);
    await images.lookAgain();
    expect(here()).toEqual([]);
    await until(() => here()[0]?.sizeBytes === 1000);
    put('images/a.iso', 3000, 0);
    await until(() => here()[0]?.sizeBytes === 3000);
    expect(here()[0]?.badge).toBe('ready');
    // What a machine needs must not have changed: that is said, not followed.
    neededBy = ['web'];
    put('images/a.iso', 4000, 0);
    await until(() => here()[0]?.badge === 'missing');
    expect(here()[0]?.badgeText).toMatch(/another size/);
  });

  it('is missing, not forgotten, while its pool is away', async () => {
    put('a.iso');
    await images.lookAgain();
    pools = [{ ...pool, mounted: false }];
    bus.emit('pools.changed', {});
    expect(here()[0]).toMatchObject({ badge: 'missing', name: 'a.iso' });
    await images.stop();
    await open();
    expect(here()[0]).toMatchObject({ badge: 'missing', name: 'a.iso' });
  });

  it('is taken off the list without its file, and is back when somebody looks again', async () => {
    put('a.iso');
    await images.lookAgain();
    const { id } = here()[0] ?? { id: '' };
    neededBy = ['web'];
    expect(() => images.forget(id)).toThrow(/web/);
    neededBy = [];
    images.forget(id);
    expect(here()).toEqual([]);
    expect(() => images.get(id)).toThrow(/no image/);
    expect(existsSync(join(root, 'tank/a.iso'))).toBe(true);
    bus.emit('pools.changed', {});
    await images.refresh();
    expect(here()).toEqual([]);
    expect((await images.lookAgain()).found).toBe(1);
    expect(here()[0]?.id).toBe(id);
    // Its file went while it was off the list: nothing is left of it.
    images.forget(id);
    rmSync(join(root, 'tank/a.iso'));
    await images.refresh();
    expect((await images.lookAgain()).found).toBe(0);
    expect(db.all('SELECT id FROM images')).toEqual([]);
  });

  it('is deleted with its file by the operation that says so', async () => {
    put('a.iso');
    await images.lookAgain();
    const { id } = here()[0] ?? { id: '' };
    const plan = await operations.preview('image.remove', { imageId: id });
    expect(plan.steps[0]?.title).toBe(`Delete ${join(root, 'tank/a.iso')}`);
    const asked = await operations.start({
      kind: 'image.remove',
      request: { imageId: id },
      actor: admin,
    });
    expect((await operations.wait(asked.id)).state).toBe('succeeded');
    expect(existsSync(join(root, 'tank/a.iso'))).toBe(false);
    expect(here()).toEqual([]);
  });

  it('cannot be taken off the list when Cairn put it there', async () => {
    await operations.wait((await begin()).id);
    expect(() => images.forget(here()[0]?.id ?? '')).toThrow(/Cairn put it there/);
  });

  it('never keeps a pool from what is done to it: the search makes way and is made up for', async () => {
    put('a.iso');
    const held = operations.holderId;
    operations.holderId = (lock) => (lock === `pool:${GUID}` ? 'op' : held(lock));
    expect(await images.lookAgain()).toMatchObject({ pools: 0, notLookedAt: ['Tank'] });
    bus.emit('pools.changed', {});
    pools = [{ ...pool, mounted: false }];
    bus.emit('pools.changed', {});
    pools = [pool];
    bus.emit('pools.changed', {});
    await images.refresh();
    expect(here()).toEqual([]);
    operations.holderId = held;
    bus.emit('operation.ended', { id: 'op' });
    await until(() => files().includes('a.iso'));
  });
});

describe('an entry that somebody adds to the catalog', () => {
  const save = (change: Record<string, unknown> = {}, actor = admin, id: string | null = null) =>
    images.catalog.save(
      catalogEntryRequest.parse({
        ...{ name: 'Our Debian', url: `${server.url}/debian-12-ours.qcow2`, checksum: sha256(content) },
        ...{ defaultUser: 'ops', minDiskBytes: 5 * MIB, allowPrivate: true, ...change },
      }),
      actor,
      id,
    );
  const codesOf = (work: () => unknown): string[] => {
    try {
      work();
      return [];
    } catch (error) {
      const { code, issues } = error as { code: string; issues?: { code: string }[] };
      return issues?.length ? issues.map((one) => one.code) : [code];
    }
  };
  const offered = (name: string) => images.list().find((one) => one.name === name);

  it('is offered like the others, is downloaded as it says, and is offered again when the image is gone', async () => {
    server.files.set('/debian-12-ours.qcow2', { content });
    const { id } = save();
    expect(offered('Our Debian')).toMatchObject({
      ...{ badge: 'needs-download', ownEntry: true, catalogId: id, os: { id: 'debian', version: '12' } },
      ...{ kind: 'cloud', defaultUser: 'ops', minDiskBytes: 5 * MIB },
    });
    // An administrator has allowed the private network with the entry: whoever downloads it needs not.
    const operator: Actor = { ...admin, role: 'operator' };
    const asked = { catalogId: id, url: undefined, checksum: undefined, allowPrivate: false };
    const { id: operationId } = await begin(asked, operator);
    expect((await operations.wait(operationId)).state).toBe('succeeded');
    expect(here()[0]).toMatchObject({
      name: 'Our Debian',
      checksum: { hex: sha256(content) },
      ownEntry: true,
    });
    const removed = await operations.start({
      kind: 'image.remove',
      request: { imageId: here()[0]?.id ?? '' },
      actor: admin,
    });
    await operations.wait(removed.id);
    expect(offered('Our Debian')?.badge).toBe('needs-download');
  });

  it('is compared with its checksum whoever asks', async () => {
    server.files.set('/debian-12-ours.qcow2', { content });
    const { id } = save({ checksum: sha256(Buffer.from('another file')) });
    const asked = { catalogId: id, url: undefined, checksum: sha256(content) };
    const { id: operationId } = await begin(asked);
    expect(await operations.wait(operationId)).toMatchObject({
      ...{ state: 'failed', error: { code: 'download_failed' } },
    });
    expect(here()).toEqual([]);
  });

  it('tells what its publisher offers now, and when that is another build than what is here', async () => {
    server.files.set('/debian-12-ours.qcow2', { content });
    server.files.set('/SUMS', { content: Buffer.from(`${sha256(content)}  debian-12-ours.qcow2\n`) });
    const { id } = save({ checksum: `${server.url}/SUMS` });
    expect(await images.refreshCatalog(id)).toEqual({ asked: 1, failed: [] });
    expect(offered('Our Debian')).toMatchObject({
      ...{ sizeBytes: content.length, newer: false },
      published: { checksum: sha256(content), problem: null },
    });

    await operations.wait((await begin({ catalogId: id, url: undefined, checksum: undefined })).id);
    expect(here()[0]).toMatchObject({ newer: false });
    const newer = Buffer.concat([content, Buffer.from('more')]);
    server.files.set('/debian-12-ours.qcow2', { content: newer });
    server.files.set('/SUMS', { content: Buffer.from(`${sha256(newer)}  debian-12-ours.qcow2\n`) });
    await images.refreshCatalog(id);
    expect(here()[0]).toMatchObject({ newer: true, published: { sizeBytes: newer.length } });

    // A publisher that does not answer: what was known stays, with the reason.
    server.files.delete('/SUMS');
    const { failed } = await images.refreshCatalog(id);
    expect(failed[0]?.problem).toMatch(/checksums .* could not be read/);
    expect(here()[0]).toMatchObject({ newer: true, published: { problem: expect.stringMatching(/404/) } });

    // The newer one is another image, beside the one that machines may stand on.
    server.files.set('/SUMS', { content: Buffer.from(`${sha256(newer)}  debian-12-ours.qcow2\n`) });
    await operations.wait((await begin({ catalogId: id, url: undefined, checksum: undefined })).id);
    expect(here().map((image) => image.newer)).toEqual([true, false]);
  });

  it('forgets what was said of an address that it no longer has', async () => {
    server.files.set('/debian-12-ours.qcow2', { content });
    const { id } = save();
    await images.refreshCatalog(id);
    expect(offered('Our Debian')?.sizeBytes).toBe(content.length);
    save({ url: `${server.url}/debian-12-other.qcow2` }, admin, id);
    expect(offered('Our Debian')).toMatchObject({ sizeBytes: null, published: null });
  });

  it('is changed and removed; what was downloaded by it stays', async () => {
    server.files.set('/debian-12-ours.qcow2', { content });
    const { id } = save();
    save({ name: 'Our own Debian', defaultUser: 'root' }, admin, id);
    expect(offered('Our Debian')).toBeUndefined();
    expect(offered('Our own Debian')?.defaultUser).toBe('root');
    await operations.wait((await begin({ catalogId: id, url: undefined, checksum: undefined })).id);
    images.catalog.remove(id);
    expect(here()[0]).toMatchObject({ name: 'Our own Debian', ownEntry: false });
    expect(images.catalog.own()).toEqual([]);
    expect(codesOf(() => images.catalog.remove(id))).toEqual(['image_not_found']);
    expect(codesOf(() => images.catalog.remove('debian-13-x86_64'))).toEqual(['image_not_found']);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['a private address that nobody allowed', { allowPrivate: false }, ['address_not_public']],
    [
      'a link-local address',
      { allowPrivate: false, url: 'http://169.254.169.254/x.iso' },
      ['address_not_public'],
    ],
    ['an address with a password', { url: 'https://me:secret@e.org/x.iso' }, ['url_invalid']],
    ['what is no web address', { url: 'file:///etc/shadow' }, ['url_invalid']],
    ['an address without a file', { url: 'https://e.org/' }, ['file_name_invalid']],
    ['a checksum that is none', { checksum: 'abc' }, ['checksum_invalid']],
    [
      'a list in a private network',
      { allowPrivate: false, url: 'https://e.org/x.iso', checksum: 'http://10.0.0.1/SUMS' },
      ['address_not_public'],
    ],
    ['a user that cannot be', { defaultUser: 'a b' }, ['user_name_invalid']],
    ['several of these, all at once', { url: 'x', checksum: 'y' }, ['url_invalid', 'checksum_invalid']],
  ])('is refused with %s', (_what, change, codes) => {
    expect(codesOf(() => save(change))).toEqual(codes);
    expect(images.catalog.own()).toEqual([]);
  });
  it('is refused with a name that is taken, and from those who may not allow private networks', () => {
    save();
    expect(codesOf(() => save())).toEqual(['entry_name_taken']);
    expect(codesOf(() => save({ name: 'B' }, { ...admin, role: 'operator' }))).toEqual(['forbidden']);
  });
});

describe('an upload', () => {
  const file = 'my-disk.raw';
  const path = () => join(root, 'tank/images', file);
  const ask = (change: Record<string, unknown> = {}) =>
    operations.start({
      kind: 'image.upload',
      request: { file, sizeBytes: content.length, poolGuid: GUID, ...change } as JsonObject,
      actor: admin,
    });
  const ready = (id: string) =>
    until(() => {
      try {
        return images.uploads.state(id).sizeBytes > 0;
      } catch {
        return false; // its step has not come to it yet
      }
    });
  const upload = async (change: Record<string, unknown> = {}) => {
    const asked = await ask(change);
    await ready(asked.subject.id);
    return { operationId: asked.id, id: asked.subject.id };
  };
  async function* body(from: number, to: number) {
    await sleep(0);
    for (let at = from; at < to; at += 65_536) yield content.subarray(at, Math.min(to, at + 65_536));
  }
  async function* silentAfter(from: number, to: number) {
    yield* body(from, to);
    await new Promise(() => undefined);
  }
  const code = (work: () => unknown) => refusal(Promise.resolve().then(work));

  it('arrives in pieces, is compared with the checksum that its sender tells, and is an image then', async () => {
    const { operationId, id } = await upload();
    expect(here()[0]).toMatchObject({ badge: 'uploading', origin: 'upload', operationId });
    expect(images.uploads.state(id)).toEqual({
      ...{ imageId: id, operationId, offset: 0, sizeBytes: content.length },
    });
    expect(await images.uploads.append(id, 0, body(0, MIB))).toBe(MIB);
    expect(await code(() => images.uploads.finish(id, sha256(content)))).toBe('upload_incomplete');
    expect(await code(() => images.uploads.append(id, 5, body(5, 9)))).toBe('upload_offset');
    expect(await images.uploads.append(id, MIB, body(MIB, content.length))).toBe(content.length);
    expect(existsSync(path())).toBe(false);
    images.uploads.finish(id, sha256(content));
    expect((await operations.wait(operationId)).state).toBe('succeeded');
    expect(readFileSync(path()).equals(content)).toBe(true);
    expect(readdirSync(join(root, 'tank/images'))).toEqual([file]);
    expect(here()[0]).toMatchObject({ badge: 'ready', format: 'raw', sizeBytes: content.length });
    expect(await code(() => images.uploads.state(id))).toBe('image_wrong_state');
  });

  it('needs no last word when its checksum was told in the beginning', async () => {
    const { operationId, id } = await upload({ checksum: sha256(content) });
    await images.uploads.append(id, 0, body(0, content.length));
    expect((await operations.wait(operationId)).state).toBe('succeeded');
  });

  it('leaves nothing when it was damaged on its way', async () => {
    const { operationId, id } = await upload();
    await images.uploads.append(id, 0, body(0, content.length));
    images.uploads.finish(id, sha256(Buffer.from('another')));
    expect(await operations.wait(operationId)).toMatchObject({
      ...{ state: 'failed', error: { code: 'upload_failed' } },
    });
    expect(readdirSync(join(root, 'tank/images'))).toEqual([]);
    expect(here()).toEqual([]);
  });

  it('keeps what came before its sender broke off, and makes room for one that begins anew', async () => {
    const { operationId, id } = await upload({ checksum: sha256(content) });
    async function* broken() {
      yield* body(0, MIB);
      throw new Error('the connection is gone');
    }
    await expect(images.uploads.append(id, 0, broken())).rejects.toThrow('the connection is gone');
    expect(images.uploads.state(id).offset).toBe(MIB);
    const given = expect(images.uploads.append(id, MIB, silentAfter(MIB, MIB + 10))).rejects.toThrow('anew');
    await sleep(50);
    expect(await images.uploads.append(id, MIB + 10, body(MIB + 10, content.length))).toBe(content.length);
    await given;
    expect((await operations.wait(operationId)).state).toBe('succeeded');
    expect(readFileSync(path()).equals(content)).toBe(true);
  });

  it('leaves nothing when it is cancelled, also while its sender is silent', async () => {
    const { operationId, id } = await upload();
    const given = expect(images.uploads.append(id, 0, silentAfter(0, 10))).rejects.toThrow();
    await sleep(50);
    operations.cancel(operationId, admin);
    expect((await operations.wait(operationId)).state).toBe('cancelled');
    await given;
    expect(readdirSync(join(root, 'tank/images'))).toEqual([]);
    expect(here()).toEqual([]);
  });

  it('takes no more than was announced', async () => {
    const { operationId, id } = await upload({ sizeBytes: 100 });
    expect(await refusal(images.uploads.append(id, 0, body(0, 65_536)))).toBe('upload_too_long');
    operations.cancel(operationId, admin);
    await operations.wait(operationId);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a name that climbs', { file: '../x.iso' }, 'file_name_invalid'],
    ['a name that tells no format', { file: 'x.txt' }, 'file_name_invalid'],
    ['nothing in it', { sizeBytes: 0 }, 'invalid_input'],
    ['more than the pool has room for', { sizeBytes: 1024 ** 4 }, 'pool_full'],
    ['a pool that is not there', { poolGuid: '5f0c35b5-24cb-4b6b-8e5c-0a9de4d6f001' }, 'pool_not_found'],
  ])('is refused with %s', async (_what, change, wanted) => {
    expect(await refusal(ask(change))).toBe(wanted);
  });
  it('never touches a file that is there, nor an unfinished one of somebody else’s', async () => {
    mkdirSync(join(root, 'tank/images'));
    for (const name of [file, `${file}.part`]) {
      writeFileSync(join(root, 'tank/images', name), 'mine');
      expect(await refusal(ask())).toBe('file_exists');
      rmSync(join(root, 'tank/images', name));
    }
  });
});

describe('an image of another format', () => {
  const make = async (): Promise<string> => {
    const path = join(root, 'tank/old/My nas (2).vmdk');
    mkdirSync(join(path, '..'), { recursive: true });
    const raw = join(root, 'disk.raw');
    writeFileSync(raw, content);
    execFileSync('/usr/bin/qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', raw, path]);
    const when = Date.now() / 1_000 - 60;
    utimesSync(path, when, when);
    await images.lookAgain();
    return here()[0]?.id ?? '';
  };
  const convert = (imageId: string) =>
    operations.start({ kind: 'image.convert', request: { imageId }, actor: admin });

  it('is converted to qcow2 with all that is in it, and stays itself', async () => {
    const id = await make();
    expect(here()[0]?.badge).toBe('needs-conversion');
    const asked = await convert(id);
    expect(here().find((one) => one.id === asked.subject.id)?.badge).toBe('converting');
    expect(await operations.wait(asked.id)).toMatchObject({ state: 'succeeded', error: null });
    const path = join(root, 'tank/images/My-nas-2.qcow2');
    const back = join(root, 'back.raw');
    execFileSync('/usr/bin/qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, back]);
    expect(readFileSync(back).equals(content)).toBe(true);
    await images.refresh();
    expect(images.get(asked.subject.id)).toMatchObject({
      ...{ badge: 'ready', origin: 'converted', format: 'qcow2', path, virtualBytes: content.length },
    });
    expect(images.get(id).badge).toBe('needs-conversion');
    expect(readdirSync(join(root, 'tank/images'))).toEqual(['My-nas-2.qcow2']);
  });

  it('is not deleted while it is converted, and leaves nothing when that is cancelled', async () => {
    const id = await make();
    const asked = await convert(id);
    const remove = operations.start({ kind: 'image.remove', request: { imageId: id }, actor: admin });
    expect(await refusal(remove)).toBe('locked');
    operations.cancel(asked.id, admin);
    expect((await operations.wait(asked.id)).state).toBe('cancelled');
    expect(existsSync(join(root, 'tank/images/My-nas-2.qcow2'))).toBe(false);
    expect(existsSync(join(root, 'tank/images/My-nas-2.qcow2.part'))).toBe(false);
    expect(here().map(({ id: one }) => one)).toEqual([id]);
  });
});
