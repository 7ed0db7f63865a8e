import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeDatabase, openDatabase, type Db } from '$lib/server/db/client';
import { migrateDatabase, readMigrations } from '$lib/server/db/migrate';

let dir: string;
let db: Db;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cairn-migrate-'));
  cpSync('drizzle', join(dir, 'drizzle'), { recursive: true });
  db = openDatabase(join(dir, 'cairn.db'));
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

interface JournalFile {
  entries: { idx: number; when: number; tag: string; version: string; breakpoints: boolean }[];
}
const journalPath = () => join(dir, 'drizzle/meta/_journal.json');
const readJournal = (): JournalFile => JSON.parse(readFileSync(journalPath(), 'utf8')) as JournalFile;

/** Adds a migration to the copy of the folder, `offsetMs` after the last one. */
function addMigration(tag: string, sql: string, offsetMs: number): void {
  const journal = readJournal();
  const last = journal.entries.at(-1);
  if (!last) throw new Error('no migrations');
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + offsetMs, tag });
  writeFileSync(journalPath(), JSON.stringify(journal));
  writeFileSync(join(dir, 'drizzle', `${tag}.sql`), sql);
}
const folder = () => join(dir, 'drizzle');
const pragma = (name: string): unknown => db.$client.pragma(name, { simple: true });

describe('the database', () => {
  it('is opened so that what was committed survives a power cut, with foreign keys on', () => {
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1]);
  });

  it('is brought to the present schema, and a second time changes nothing', () => {
    migrateDatabase(db, folder());
    const first = db.$client.prepare('SELECT count(*) AS n FROM __drizzle_migrations').get();
    migrateDatabase(db, folder());
    expect(db.$client.prepare('SELECT count(*) AS n FROM __drizzle_migrations').get()).toEqual(first);
  });

  it('keeps the rows of child tables when a migration rebuilds their parent', () => {
    migrateDatabase(db, folder());
    db.$client.exec(`INSERT INTO users VALUES ('u', 'ann', 'h', 'admin', 0);
      INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ('s', 'u', 0, 1);`);
    addMigration(
      '0099_rebuild',
      `CREATE TABLE users_new (id text PRIMARY KEY NOT NULL, username text NOT NULL, password_hash text NOT NULL, role text NOT NULL, created_at integer NOT NULL);
--> statement-breakpoint
INSERT INTO users_new SELECT id, username, password_hash, role, created_at FROM users;
--> statement-breakpoint
DROP TABLE users;
--> statement-breakpoint
ALTER TABLE users_new RENAME TO users;`,
      1_000,
    );
    migrateDatabase(db, folder());
    expect(db.$client.prepare('SELECT id FROM sessions').all()).toEqual([{ id: 's' }]);
    expect(pragma('foreign_keys')).toBe(1);
  });

  it('tells of rows that a migration left without their parent', () => {
    migrateDatabase(db, folder());
    db.$client.exec(`INSERT INTO users VALUES ('u', 'ann', 'h', 'admin', 0);
      INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ('s', 'u', 0, 1);`);
    addMigration('0099_break', 'DELETE FROM users;', 1_000);
    expect(() => migrateDatabase(db, folder())).toThrow(/refer to rows that are gone/);
    expect(pragma('foreign_keys')).toBe(1);
  });

  it('is refused when a newer Cairn wrote it', () => {
    addMigration('0099_future', 'CREATE TABLE future (id integer);', 1_000);
    migrateDatabase(db, folder());
    expect(() => migrateDatabase(db, 'drizzle')).toThrow(/newer Cairn/);
  });

  it('refuses a migration that is older than the one before it, which would be skipped in silence', () => {
    addMigration('0099_old', 'CREATE TABLE old (id integer);', -1_000);
    expect(() => readMigrations(folder())).toThrow(/would be skipped/);
  });

  it('has its migrations in rising order', () => {
    expect(readMigrations('drizzle').length).toBeGreaterThan(0);
  });
});
