import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '$lib/server/clock';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import type { Drives } from '$lib/server/drives/drive';
import { AppError, issue } from '$lib/server/errors';
import { createBus } from '$lib/server/events/bus';
import { createFeed } from '$lib/server/events/feed';
import type { Host } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import type { Operations, Prepared } from '$lib/server/operations/types';
import { createPlugins } from '$lib/server/plugins/registry';
import type { PoolDeps } from '$lib/server/pools/deps';
import { prepareCreate } from '$lib/server/pools/prepare-create';
import { prepareMount, prepareRename } from '$lib/server/pools/prepare-change';
import { createRecord, removeRecord, renameRecord } from '$lib/server/pools/records';
import { NO_HEALTH } from '$lib/server/drives/health-document';
import { findPool, listPools } from '$lib/server/pools/store';
import type { ErrorCode } from '$lib/shared/error-codes';
import type { Drive } from '$lib/shared/wire/drives';

const GIB = 1024 ** 3;
const GUID = '04ae4f2b-562c-41fa-8c87-c34d7aa38f01';

let root: string;
let db: Db;
let deps: PoolDeps;
let drives: Drive[];

const drive = (name: string, change: Partial<Drive> = {}): Drive => ({
  ...{ id: `drive-${name}`, present: true, kernelName: name, path: `/dev/${name}`, byId: null, model: null },
  ...{ vendor: null, serial: `SER-${name.toUpperCase()}`, wwn: null, bus: 'sata', sizeBytes: GIB },
  ...{
    rotational: true,
    logicalSectorBytes: 512,
    physicalSectorBytes: 512,
    readOnly: false,
    removable: false,
  },
  ...{ identity: 'strong', sandbox: true, bayLabel: null, group: 'free', protection: 'none', issues: [] },
  ...{ pool: null, operationId: null, signatures: [], mounts: [], holders: [], partitions: [], probed: true },
  ...{ contentHash: 'blank', health: NO_HEALTH, wiped: null, firstSeenAt: 0, lastSeenAt: 0 },
  ...{ setAside: null, identifiedBy: 'activity' },
  ...change,
});

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-requests-')));
  db = openDatabase(join(root, 'cairn.db'));
  migrateDatabase(db, 'drizzle');
  drives = ['a', 'b', 'c', 'd'].map((name) => drive(name));
  const log = createLog('silent');
  const host = {
    allow: () => undefined,
    commands: { read: () => Promise.resolve({ stdout: '', stderr: '', exitCode: 0 }) },
    blockDevices: { current: () => [] },
    mounts: () => [],
    hasFilesystem: () => true,
    processesUsing: () => Promise.resolve([]),
  } as unknown as Host & { allow(programs: string[]): void };
  const config = { dataDir: root, mountRoot: join(root, 'mnt'), thirdPartyPluginsDir: join(root, 'none') };
  mkdirSync(config.mountRoot);
  deps = {
    ...{ db, host, bus: createBus(log), clock: systemClock, config, log },
    plugins: await createPlugins({ config, host, feed: createFeed(), log }),
    drives: {
      list: () => drives,
      find: (name: string) => drives.find((one) => one.id === name || one.serial === name) ?? null,
      refresh: () => Promise.resolve(),
    } as unknown as Drives,
  };
});
afterEach(() => {
  closeDatabase(db);
  rmSync(root, { recursive: true, force: true });
});

const request = (change: Record<string, unknown> = {}) => ({
  ...{ poolGroupGuid: GUID, label: 'tank', plugin: 'btrfs', layout: 'raid1' },
  drives: [{ serial: 'SER-A' }, { serial: 'SER-B' }],
  ...change,
});
const prepare = (change: Record<string, unknown> = {}): Promise<Prepared> =>
  prepareCreate(deps, request(change) as never);
async function issuesOf(change: Record<string, unknown>): Promise<[string | undefined, ErrorCode][]> {
  const error: unknown = await prepare(change).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error('the request was taken');
  return error.issues.map(({ field, code }) => [field, code]);
}

const operations = { holder: () => null } as unknown as Operations;
/** As the engine does it: with the first commit, and with the last. */
async function make(change: Record<string, unknown> = {}): Promise<Prepared> {
  const prepared = await prepare(change);
  const record = createRecord(deps, operations);
  db.transaction((tx) => record.begin(tx, 'op', prepared));
  db.transaction((tx) => record.succeed(tx, 'op', prepared));
  return prepared;
}

describe('a request for a pool', () => {
  it('becomes the same plan every time it is asked for', async () => {
    expect(await prepare()).toEqual(await prepare());
  });

  it('takes a drive without a serial alone, and refuses it among others with the reason', async () => {
    drives[0] = drive('a', { serial: null, identity: 'weak' });
    const alone = { plugin: 'single-drive', layout: 'single', drives: [{ id: 'drive-a' }] };
    expect((await prepare(alone)).drives).toMatchObject([{ id: 'drive-a', serial: null }]);
    expect((await prepare({ layout: 'single', drives: [{ id: 'drive-a' }] })).drives).toHaveLength(1);
    expect(await issuesOf({ drives: [{ id: 'drive-a' }, { serial: 'SER-B' }] })).toEqual([
      ['drives.0', 'drive_ambiguous'],
    ]);
  });

  it('names pool, drives and mount path as what it locks', async () => {
    expect((await prepare()).locks).toEqual([
      `pool:${GUID}`,
      'drive:drive-a',
      'drive:drive-b',
      `path:${join(root, 'mnt', 'tank')}`,
    ]);
  });

  it.each<[string, Record<string, unknown>, [string, ErrorCode]]>([
    ['no label', { label: '' }, ['label', 'label_empty']],
    ['a control character in the label', { label: 'a\u0007' }, ['label', 'label_invalid']],
    ['a leading dash', { label: '-rf' }, ['label', 'label_leading_dash']],
    ['a label that is too long', { label: 'x'.repeat(33) }, ['label', 'label_too_long']],
    ['no drives', { drives: [] }, ['drives', 'no_drives']],
    ['an unknown drive', { drives: [{ serial: 'SER-A' }, { serial: 'X' }] }, ['drives.1', 'drive_not_found']],
    [
      'a drive by its serial and by its id',
      { drives: [{ serial: 'SER-A' }, { id: 'drive-a' }, { id: 'drive-b' }] },
      ['drives.1', 'drive_duplicate'],
    ],
    ['too few drives', { drives: [{ serial: 'SER-A' }] }, ['drives', 'too_few_drives']],
    ['too many drives', { plugin: 'single-drive', layout: 'single' }, ['drives', 'too_many_drives']],
    ['an unknown layout', { layout: 'raid7' }, ['layout', 'unknown_layout']],
    ['an unknown plugin', { plugin: 'nope' }, ['plugin', 'plugin_not_found']],
    ['an unknown option', { options: { speed: 1 } }, ['options.speed', 'unknown_field']],
    ['a bad option', { options: { compression: 'gzip' } }, ['options.compression', 'invalid_input']],
    ['a relative mount path', { mountPath: 'tank' }, ['mountPath', 'mount_path_relative']],
    ['a mount path in a system folder', { mountPath: '/etc/tank' }, ['mountPath', 'mount_path_invalid']],
    ['an unknown field', { raid: 1 }, ['raid', 'unknown_field']],
  ])('with %s is refused with its own code and field', async (_title, change, wanted) => {
    expect(await issuesOf(change)).toEqual([wanted]);
  });

  it('tells everything that is wrong at once', async () => {
    drives[0] = drive('a', { issues: [issue('drive_protected', 'Drive a was protected by a user.')] });
    drives[1] = drive('b', { sizeBytes: 1024 ** 2 });
    mkdirSync(join(root, 'mnt', 'full'));
    writeFileSync(join(root, 'mnt', 'full', 'file'), '');
    expect(await issuesOf({ label: '', mountPath: join(root, 'mnt', 'full'), options: { x: 1 } })).toEqual([
      ['label', 'label_empty'],
      ['drives.0', 'drive_protected'],
      ['drives.1', 'drive_too_small'],
      ['options.x', 'unknown_field'],
      ['mountPath', 'mount_path_in_use'],
    ]);
  });

  it.each<[string, Partial<Drive>, ErrorCode]>([
    ['the system', { issues: [issue('drive_system', 'It holds the system.')] }, 'drive_system'],
    ['a mount', { issues: [issue('drive_in_use', 'It is mounted at /mnt/x.')] }, 'drive_in_use'],
    ['another pool', { pool: { guid: 'x', label: 'media' } }, 'drive_in_pool'],
    ['no serial of its own, among others', { identity: 'weak' }, 'drive_ambiguous'],
  ])('with a drive that has %s is refused', async (_title, change, code) => {
    drives[1] = drive('b', change);
    expect(await issuesOf({})).toEqual([['drives.1', code]]);
  });

  it('lists what is erased, and asks for the label', async () => {
    const signature = { type: 'ext4', usage: 'filesystem' as const, uuid: null, label: 'photos' };
    drives[0] = drive('a', { contentHash: 'h1', signatures: [signature] });
    const prepared = await prepare();
    expect(prepared.erases).toMatchObject([{ driveId: 'drive-a', content: ['ext4 "photos"'] }]);
    expect(prepared.confirmText).toBe('tank');
    expect(prepared.drives[0]).toMatchObject({ id: 'drive-a', contentHash: 'h1' });
  });
});

describe('the record of a pool', () => {
  it('is there from the first commit, and changes or goes with the last', async () => {
    const prepared = await prepare();
    const record = createRecord(deps, operations);
    db.transaction((tx) => record.begin(tx, 'op', prepared));
    expect(findPool(db, GUID)).toMatchObject({ state: 'creating', wantMounted: false });
    db.transaction((tx) => record.needsYou(tx, 'op', prepared, 'Something is in the way.'));
    expect(findPool(db, GUID)).toMatchObject({ state: 'error', errorMessage: 'Something is in the way.' });
    db.transaction((tx) => record.takenBack(tx, 'op', prepared, new AppError('cancelled')));
    expect(listPools(db)).toEqual([]);
  });

  it('names label, mount path and drives that another request took in the meantime', async () => {
    const late = await prepare({
      poolGroupGuid: crypto.randomUUID(),
      label: 'TANK',
      mountPath: join(root, 'mnt', 'tank'),
    });
    await make();
    const error: unknown = (() => {
      try {
        db.transaction((tx) => createRecord(deps, operations).begin(tx, 'op2', late));
        return null;
      } catch (thrown) {
        return thrown;
      }
    })();
    expect((error as AppError).issues.map(({ code }) => code)).toEqual([
      ...['label_duplicate', 'mount_path_in_use', 'drive_in_pool', 'drive_in_pool'],
    ]);
    expect(listPools(db)).toHaveLength(1);
  });

  it('refuses a label, GUID or mount path of another pool before any plan is made', async () => {
    await make();
    await expect(prepare()).rejects.toMatchObject({ code: 'guid_conflict' });
    const other = { poolGroupGuid: crypto.randomUUID(), drives: [{ id: 'drive-c' }, { id: 'drive-d' }] };
    expect(await issuesOf({ ...other, label: 'TANK', mountPath: join(root, 'mnt', 'x') })).toEqual([
      ['label', 'label_duplicate'],
    ]);
    expect(await issuesOf({ ...other, label: 'media', mountPath: join(root, 'mnt', 'tank') })).toEqual([
      ['mountPath', 'mount_path_in_use'],
    ]);
    expect(await issuesOf({ ...other, label: 'media', mountPath: join(root, 'mnt', 'tank', 'sub') })).toEqual(
      [['mountPath', 'mount_path_invalid']],
    );
  });

  it('goes back to what it was when a removal is taken back, and takes the new label at the end of a rename', async () => {
    const prepared = await make();
    const input = { ...prepared.input, previousState: 'ready', newLabel: 'Deep' };
    const change: Prepared = { ...prepared, input };
    db.transaction((tx) => removeRecord(deps).begin(tx, 'op', change));
    expect(findPool(db, GUID)?.state).toBe('deleting');
    db.transaction((tx) => removeRecord(deps).takenBack(tx, 'op', change, new AppError('cancelled')));
    expect(findPool(db, GUID)?.state).toBe('ready');
    db.transaction((tx) => renameRecord(deps).begin(tx, 'op', change));
    expect(findPool(db, GUID)?.label).toBe('tank');
    db.transaction((tx) => renameRecord(deps).succeed(tx, 'op', change));
    expect(findPool(db, GUID)).toMatchObject({ label: 'Deep', labelKey: 'deep' });
    db.transaction((tx) => removeRecord(deps).begin(tx, 'op', change));
    db.transaction((tx) => removeRecord(deps).succeed(tx, 'op', change));
    expect(listPools(db)).toEqual([]);
  });

  it('is not renamed while it is not mounted, and not mounted without drives that it needs', async () => {
    await make();
    await expect(prepareRename(deps, { poolGroupGuid: GUID, label: 'Deep' })).rejects.toMatchObject({
      code: 'pool_wrong_state',
    });
    drives = [];
    await expect(prepareMount(deps, { poolGroupGuid: GUID })).rejects.toMatchObject({ code: 'drive_gone' });
    await expect(prepareMount(deps, { poolGroupGuid: crypto.randomUUID() })).rejects.toMatchObject({
      code: 'pool_not_found',
    });
  });
});
