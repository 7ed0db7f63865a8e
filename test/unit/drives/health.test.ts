import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase } from '$lib/server/db/migrate';
import { createDriveHealths, type DriveHealths } from '$lib/server/drives/health';
import { samplesSince, thinSamples } from '$lib/server/drives/health-store';
import { driveSamples } from '$lib/server/db/schema';
import { AppError } from '$lib/server/errors';
import { createBus, type Bus } from '$lib/server/events/bus';
import type { LiveHost } from '$lib/server/host/host';
import type { BlockDrive } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';

const HOUR = 3_600_000;
const text = (name: string): string =>
  readFileSync(new URL(`../../fixtures/smartctl/${name}.json`, import.meta.url), 'utf8');
const drive = (id: string, bus: BlockDrive['bus'] = 'sata', path = `/dev/${id}`): BlockDrive =>
  ({ id, bus, path, kernelName: path.slice(5), rotational: true, identity: 'strong' }) as BlockDrive;

let db: Db;
let bus: Bus;
let here: BlockDrive[];
/** What smartctl says about a path: the name of a fixture. */
let says: Record<string, string>;
let asked: string[];
let now: number;
let health: DriveHealths;

function open(): DriveHealths {
  const read = (_program: string, argv: string[]) => {
    const path = argv.at(-1) ?? '';
    asked.push(path);
    const name = says[path];
    if (!name) return Promise.reject(new AppError('program_missing', 'smartctl is not installed.'));
    const stdout = text(name);
    const { exit_status: exitCode } = (JSON.parse(stdout) as { smartctl: { exit_status: number } }).smartctl;
    return Promise.resolve({ stdout, stderr: '', exitCode });
  };
  const host = { commands: { read }, blockDevices: { current: () => here } } as unknown as LiveHost;
  return createDriveHealths({
    db,
    bus,
    host,
    clock: { now: () => now, elapsed: () => 0 },
    log: createLog('silent'),
  });
}

beforeEach(() => {
  db = openDatabase(':memory:');
  migrateDatabase(db, 'drizzle');
  bus = createBus(createLog('silent'));
  here = [];
  says = {};
  asked = [];
  now = 1_000 * HOUR;
  health = open();
});
afterEach(async () => {
  await health.stop();
  closeDatabase(db);
});

test('a drive is asked when it is seen, and again every half hour', async () => {
  here = [drive('a')];
  says['/dev/a'] = '7.3-sata';
  health.start();
  await expect
    .poll(() => health.of('a'))
    .toMatchObject({ status: 'passed', power: 'active', temperatureCelsius: 31 });
  now += HOUR / 3;
  await health.readDue();
  expect(asked).toHaveLength(1);
  now += HOUR / 6;
  await health.readDue();
  expect(asked).toHaveLength(2);
  expect(health.history('a', 0).map((sample) => sample.temperatureCelsius)).toEqual([31, 31]);
});

test('many drives are not asked all in the same minute', async () => {
  here = Array.from({ length: 60 }, (_, index) => drive(`d${index}`));
  for (const { path } of here) says[path] = '7.3-sata';
  health.start();
  await expect.poll(() => asked).toHaveLength(60);
  now += HOUR;
  await health.readDue();
  expect(asked).toHaveLength(63);
  await health.readDue();
  expect(new Set(asked.slice(60)).size).toBe(6);
});

test('a sleeping drive keeps what it said before, and no point is made of it', async () => {
  here = [drive('a')];
  says['/dev/a'] = '7.3-sata';
  health.start();
  await expect.poll(() => health.of('a').readAt).toBe(now);
  says['/dev/a'] = 'sample-7.2-standby';
  const before = now;
  now += HOUR;
  await health.readDue();
  expect(health.of('a')).toMatchObject({
    status: 'passed',
    power: 'standby',
    temperatureCelsius: 31,
    readAt: before,
  });
  expect(health.history('a', 0)).toHaveLength(1);
});

test('what a drive said is known again after a restart, under another name', async () => {
  here = [drive('a')];
  says['/dev/a'] = 'sample-7.4-sata-failing';
  health.start();
  await expect.poll(() => health.of('a').status).toBe('failing');
  await health.stop();
  health = open();
  expect(health.of('a')).toMatchObject({ status: 'failing', power: 'unknown', powerOnHours: 41_015 });
  here = [drive('a', 'sata', '/dev/sdz')];
  says['/dev/sdz'] = 'sample-7.2-standby';
  health.start();
  await expect.poll(() => health.of('a')).toMatchObject({ status: 'failing', power: 'standby' });
});

test('a drive that has nothing to say says so, and is not asked again until it is plugged in anew', async () => {
  here = [drive('v', 'virtio'), drive('u', 'usb')];
  says['/dev/u'] = 'sample-7.2-usb-bridge';
  health.start();
  await expect.poll(() => health.of('u').status).toBe('unsupported');
  expect(health.of('v')).toMatchObject({ status: 'unsupported', text: expect.stringContaining('virtual') });
  now += 5 * HOUR;
  await health.readDue();
  expect(asked).toEqual(['/dev/u']);
  here = [];
  bus.emit('drives.changed', {});
  here = [drive('u', 'usb')];
  bus.emit('drives.changed', {});
  await expect.poll(() => asked).toHaveLength(2);
});

test('a drive that does not answer is told with the reason', async () => {
  here = [drive('a')];
  await health.read('a');
  expect(health.of('a')).toMatchObject({ status: 'unknown', text: expect.stringContaining('not installed') });
});

test('old points become four a day, very old ones go', () => {
  const day = 24 * HOUR;
  now = 3_000 * day;
  const at = (age: number, points: number) =>
    Array.from({ length: points }, (_, index) => ({
      ...{ driveId: 'a', at: now - age + (index * day) / points, temperatureCelsius: 30 },
      counters: {},
    }));
  db.insert(driveSamples)
    .values([...at(900 * day, 4), ...at(100 * day, 48), ...at(2 * day, 48)])
    .run();
  thinSamples(db, now);
  expect(samplesSince(db, 'a', 0)).toHaveLength(4 + 48);
});
