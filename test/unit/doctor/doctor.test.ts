import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeDatabase, openDatabase } from '$lib/server/db/client';
import { databaseComplaints } from '$lib/server/db/integrity';
import { migrateDatabase } from '$lib/server/db/migrate';
import { clockCheck, moduleChecks } from '$lib/server/doctor/host-checks';
import { namesModule } from '$lib/server/host/kernel-modules';

describe('a kernel module', () => {
  const list =
    'kernel/drivers/md/dm-thin-pool.ko.xz: kernel/drivers/md/dm-mod.ko.xz\nkernel/fs/btrfs/btrfs.ko\n';
  it('is found by its name, with dashes or underscores, packed or not', () => {
    expect(['dm_thin_pool', 'dm-thin-pool', 'btrfs'].map((name) => namesModule(list, name))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['dm', 'thin_pool', 'dm_mod'].map((name) => namesModule(list, name))).toEqual([
      false,
      false,
      false,
    ]);
  });
  it('that is not there matters to those who use it', () => {
    const [unused, used] = [moduleChecks(new Set()), moduleChecks(new Set(['zfs']))].map((checks) =>
      checks.find(({ id }) => id === 'module:zfs'),
    );
    if (unused?.verdict !== 'ok') expect([unused?.verdict, used?.verdict]).toEqual(['note', 'broken']);
  });
});

describe('the clock', () => {
  it('that was set back behind what is on disk is told, with both times', () => {
    const at = Date.UTC(2026, 0, 1);
    expect(clockCheck(at, at + 3_600_000)).toMatchObject({
      verdict: 'broken',
      text: 'It says 2026-01-01T00:00:00.000Z, and there are records of 2026-01-01T01:00:00.000Z.',
    });
    expect(clockCheck(at, at - 1).verdict).not.toBe('broken');
  });
});

describe('the database', () => {
  it('has no complaints when it is whole, and names the rows that hang in the air', () => {
    const dir = mkdtempSync(join(tmpdir(), 'cairn-doctor-'));
    const db = openDatabase(join(dir, 'cairn.db'));
    migrateDatabase(db, 'drizzle');
    expect(databaseComplaints(db)).toEqual([]);
    db.$client.pragma('foreign_keys = OFF');
    db.$client.exec(
      "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ('a', 'nobody', 1, 1)",
    );
    expect(databaseComplaints(db)).toEqual(['A row of sessions names one of users that is not there.']);
    closeDatabase(db);
    rmSync(dir, { recursive: true });
  });
});
