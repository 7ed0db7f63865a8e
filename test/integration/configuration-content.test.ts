/**
 * What a copy of the configuration holds, table by table and column by column: each is in it, or is named here with the reason why
 * not. Whoever adds a column has to decide.
 */
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentContent } from '$lib/server/configuration/content';
import { copyText, readCopy } from '$lib/server/configuration/format';
import { writeSettings } from '$lib/server/configuration/settings-store';
import * as schema from '$lib/server/db/schema';
import type { ConfigurationContent } from '$lib/shared/wire/configuration';
import type { CertificateView } from '$lib/shared/wire/certificates';
import type { PluginView } from '$lib/shared/wire/plugins';
import { createServiceBench, type ServiceBench } from '../support/services';

const tables = Object.fromEntries(
  Object.values(schema)
    .filter((one) => is(one, SQLiteTable))
    .map((table) => [getTableName(table), table]),
);
const columnsOf = (name: string): string[] => Object.keys(getTableColumns(tables[name] as SQLiteTable));

const MOMENT = 'How things are now: read from the machine, or of no meaning on another host.';
const HISTORY = 'What was, and not what is wanted.';
const SECRET = 'Only who knows it may have it: it is set anew, as the copy says.';
const WORK = 'Operations end on the host that they were begun on.';
/** Whole tables that stay out. */
const TABLES_LEFT_OUT: Record<string, string> = {
  ...{ boots: HISTORY, audit_entries: HISTORY, pool_events: HISTORY, pool_samples: HISTORY },
  ...{ drive_samples: HISTORY, vm_samples: HISTORY, alerts: MOMENT, outbox: MOMENT, drive_health: MOMENT },
  ...{ catalog_readings: MOMENT, login_throttle: MOMENT, sessions: SECRET, recovery_codes: SECRET },
  ...{ operations: WORK, operation_locks: WORK, steps: WORK, commands: WORK, outputs: WORK },
  proposals: 'Planned for drives and machines as they were, and to be approved by somebody who saw them.',
  wipe_backups: 'What they are the way back to lies on the system disk.',
  replace_guides: 'Begins with the drives as they are: it is begun anew.',
};
/** Columns of the others that stay out. */
const COLUMNS_LEFT_OUT: Record<string, Record<string, string>> = {
  users: { id: MOMENT, passwordHash: SECRET, createdAt: HISTORY },
  user_totp: { secretRef: SECRET, lastStep: SECRET, createdAt: HISTORY, userId: MOMENT },
  api_keys: {
    ...{ id: MOMENT, prefix: SECRET, hash: SECRET, role: SECRET, scopes: SECRET, expiresAt: SECRET },
    ...{ createdAt: HISTORY, lastUsedAt: HISTORY, lastAddress: HISTORY },
  },
  drives: {
    ...{ wwn: MOMENT, vendor: MOMENT, bus: MOMENT, rotational: MOMENT, sandbox: MOMENT },
    ...{ firstSeenAt: HISTORY, lastSeenAt: HISTORY, setAsideAt: HISTORY },
  },
  pools: {
    ...{ labelKey: 'Follows from the label.', facts: 'Asked of the drives when it is adopted.' },
    ...{ state: MOMENT, errorMessage: MOMENT, createdAt: HISTORY, updatedAt: HISTORY },
    mountPathExisted: MOMENT,
  },
  pool_drives: { poolGuid: 'It stands inside of its pool.', driveId: MOMENT, role: MOMENT },
  channels: { secretsRef: SECRET },
  schedules: { lastRunAt: HISTORY, lastError: MOMENT },
  vms: {
    ...{ state: MOMENT, failedOperationId: MOMENT, failedText: MOMENT },
    spec: 'Piece by piece, without paths: where the pool is mounted may be another place.',
    diskBytes: 'Stands with its disks.',
  },
  vm_settings: {
    vmId: 'It stands inside of its machine.',
    ...{ turnBootId: MOMENT, turnText: MOMENT, ranAtHostStop: MOMENT },
  },
  removed_vms: {
    ...{ id: MOMENT, poolGuid: MOMENT, settings: MOMENT, facts: MOMENT, takenBytes: MOMENT },
    ...{ removedAt: HISTORY, keptUntil: HISTORY },
    record: 'Only its name: its files and a note beside them are on the pool.',
  },
  images: { state: MOMENT },
};
const SETTING_KEYS = ['removed-vms-keep-days', 'notifications-base-url', 'update-skipped', 'found.ignored:x'];

const GUID = '6a1f0c52-77aa-4d5e-9f43-0d1c2b3a4f55';
const OTHER = '7b1f0a52-3c1d-4e8a-9f60-000000000042';
let bench: ServiceBench;
let target: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
  target = createServiceBench();
});
afterEach(() => {
  bench.close();
  target.close();
});

/** A row with its own value in every column, so that each can be found again. */
function row(name: string, given: Record<string, unknown> = {}): { [column: string]: unknown } {
  const columns = Object.entries(getTableColumns(tables[name] as SQLiteTable));
  const values = columns.map(([key, { dataType }], at): [string, unknown] => {
    if (dataType === 'boolean') return [key, true];
    if (dataType === 'number') return [key, 7_000_000 + at + 1_000 * Object.keys(tables).indexOf(name)];
    if (dataType === 'json') return [key, { [`${name}.${key}`]: 'json' }];
    return [key, `${name}.${key}`];
  });
  return { ...Object.fromEntries(values), ...given };
}
const plant = (
  of: ServiceBench,
  name: string,
  given: Record<string, unknown> = {},
): Record<string, unknown> => {
  const values = row(name, given);
  of.db
    .insert(tables[name] as SQLiteTable)
    .values(values)
    .run();
  return values;
};

const plugin = {
  ...{ id: 'tape', version: '1.2.0' },
  installed: {
    state: 'on',
    source: 'https://me:pw@example.org/tape.tar?t=s3cret',
    sha256: 'a'.repeat(64),
    trustedAt: 1,
  },
} as unknown as PluginView;
const certificate = { kind: 'given', subject: 'nas.example.org' } as CertificateView;
const contentOf = (
  of: ServiceBench,
  updateChannel: string | null = 'https://updates.example.org/',
): ConfigurationContent =>
  currentContent(
    {
      ...{ db: of.db, version: '1.0.0', hostname: 'nas', networks: { list: () => [] }, updateChannel },
      ...{ plugins: { list: () => [plugin] }, certificate: { view: () => certificate } },
    },
    1,
    1,
  );

/** One row in each table that is copied. */
function plantAll(of: ServiceBench): Record<string, Record<string, unknown>> {
  const spec = {
    ...{
      id: GUID,
      name: 'web',
      folder: '/mnt/t/machines/x',
      seedPath: null,
      ...{ diskPath: '/mnt/t/machines/x/disk', diskBytes: 9 },
    },
  };
  const rows: Record<string, Record<string, unknown>> = {};
  const add = (name: string, given: Record<string, unknown> = {}): void => {
    rows[name] = plant(of, name, given);
  };
  add('users', { role: 'operator' });
  add('user_totp', { userId: 'users.id' });
  add('api_keys', { role: 'admin', scopes: null });
  add('drives');
  add('pools', { guid: GUID, plugin: 'btrfs', layout: 'raid1', state: 'ready' });
  add('pool_drives', { poolGuid: GUID });
  add('channels', {
    kind: 'ntfy',
    minSeverity: 'warning',
    quietHours: { from: '22:00', until: '06:00' },
    digestAt: '07:00',
    secretsSet: ['channels.secretsSet'],
  });
  add('schedules', { subjectId: GUID });
  add('vms', {
    id: GUID,
    plugin: 'libvirt',
    state: 'ready',
    disk: 'copy',
    virtType: 'kvm',
    poolGuid: GUID,
    imageId: OTHER,
    spec,
    cpus: 3,
  });
  add('vm_settings', { vmId: GUID, tags: ['vm_settings.tags'], hostStopThen: 'save' });
  add('removed_vms', { record: { name: 'removed_vms.record.name' } });
  add('images', {
    id: OTHER,
    kind: 'disk',
    format: 'raw',
    origin: 'upload',
    poolGuid: GUID,
    file: 'images/x.raw',
    state: 'ready',
  });
  add('catalog_entries', { kind: 'disk' });
  add('pool_snapshots', { poolGuid: GUID, origin: 'person' });
  for (const key of SETTING_KEYS)
    of.db
      .insert(schema.meta)
      .values({ key, value: `value of ${key}` })
      .run();
  return rows;
}

describe('a copy of the configuration', () => {
  it('knows each table of the database: it is in the copy, or left out for a reason', () => {
    const rows = plantAll(bench);
    const known = [...Object.keys(rows), ...Object.keys(TABLES_LEFT_OUT), 'meta'];
    expect(Object.keys(tables).sort()).toEqual(known.sort());
  });

  it('holds each column of what it copies, but those that are left out for a reason', () => {
    const rows = plantAll(bench);
    const text = JSON.stringify(contentOf(bench));
    const wrong: string[] = [];
    for (const [name, values] of Object.entries(rows)) {
      const left = COLUMNS_LEFT_OUT[name] ?? {};
      for (const column of Object.keys(left))
        if (!columnsOf(name).includes(column)) wrong.push(`${name}.${column} is no column`);
      for (const column of columnsOf(name)) {
        const value = values[column];
        // A truth value is found by its name.
        const isIn =
          typeof value === 'boolean'
            ? text.includes(`"${column}":${value}`)
            : text.includes(JSON.stringify(value));
        if (isIn && left[column] === SECRET && typeof value === 'string' && value.includes('.'))
          wrong.push(`${name}.${column} is secret, and is in it`);
        if (!isIn && !(column in left)) wrong.push(`${name}.${column} is not in it`);
      }
    }
    expect(wrong).toEqual([]);
    expect(text).toContain('removed_vms.record.name');
  });

  it('holds the settings, plugins, the certificate and the channel of updates, and no secret of theirs', () => {
    plantAll(bench);
    const content = contentOf(bench);
    expect(Object.keys(content.settings).sort()).toEqual(SETTING_KEYS.toSorted());
    expect(content).toMatchObject({
      plugins: [
        { id: 'tape', source: 'https://example.org/tape.tar', sha256: 'a'.repeat(64), enabled: true },
      ],
      ...{ certificate: 'nas.example.org', updateChannel: 'https://updates.example.org/' },
      users: [{ name: 'users.username', role: 'operator', secondFactor: true }],
    });
    expect(contentOf(bench, 'https://me:hunter2@updates.example.org/').updateChannel).toBeNull();
  });

  it('is read back as it was written, and puts its records on a host that knows nothing', () => {
    plantAll(bench);
    const written = contentOf(bench);
    const { content } = readCopy(copyText(written));
    expect(content).toEqual(written);
    plant(target, 'pools', { guid: GUID, plugin: 'btrfs', layout: 'raid1', state: 'ready' });
    expect(writeSettings(target.db, content)).toEqual({
      ...{ images: 1, catalogEntries: 1, schedules: 1, snapshots: 1, settings: SETTING_KEYS.length },
    });
    const again = contentOf(target);
    for (const part of ['images', 'catalogEntries', 'schedules', 'snapshots', 'settings'] as const)
      expect(again[part]).toEqual(written[part]);
    expect(writeSettings(target.db, content)).toMatchObject({ images: 0, catalogEntries: 0, settings: 0 });
  });

  it('of an earlier Cairn is read, without what was not in it yet', () => {
    const {
      plugins: _,
      removedVms: __,
      updateChannel: ___,
      certificate: ____,
      ...earlier
    } = contentOf(bench);
    const { content } = readCopy(copyText(earlier as ConfigurationContent));
    expect(content).toMatchObject({ plugins: [], removedVms: [], updateChannel: null, certificate: null });
  });
});
