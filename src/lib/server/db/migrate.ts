/**
 * Brings the database to this version's schema.
 *
 * Two traps, both met in practice. A migration that rebuilds a table drops the old one, and with foreign keys on the
 * cascade takes the children's rows along; `PRAGMA foreign_keys=OFF` inside the migration does nothing, because a
 * transaction is open by then: so it is switched off around all of it, and checked after. And a migration whose time is
 * older than the last applied one is silently skipped by the migrator: so the order is checked here, and in a test.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { z } from 'zod';
import { AppError } from '../errors';
import type { Db } from './client';

const journalSchema = z.object({
  entries: z.array(z.object({ idx: z.number(), when: z.number(), tag: z.string() })),
});

/** @throws AppError bug when the folder's journal is not in rising order */
export function readMigrations(folder: string): { tag: string; when: number }[] {
  const { entries } = journalSchema.parse(
    JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')),
  );
  entries.forEach((entry, index) => {
    const previous = entries[index - 1];
    if (entry.idx !== index || (previous && entry.when <= previous.when))
      throw new AppError(
        'bug',
        `Migration ${entry.tag} is not newer than the one before it; it would be skipped.`,
      );
  });
  return entries;
}

function appliedTimes(db: Db): number[] {
  const table = db.$client
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__drizzle_migrations'")
    .get();
  if (!table) return [];
  const rows = db.$client
    .prepare('SELECT created_at AS at FROM __drizzle_migrations ORDER BY created_at')
    .all();
  return z
    .array(z.object({ at: z.number() }))
    .parse(rows)
    .map((row) => row.at);
}

/**
 * @param folder the `drizzle` folder with migrations and their journal
 * @throws AppError newer_database when the database has a migration that this version does not know
 */
export function migrateDatabase(db: Db, folder: string): void {
  const known = new Set(readMigrations(folder).map((entry) => entry.when));
  if (appliedTimes(db).some((at) => !known.has(at))) throw new AppError('newer_database');
  db.$client.pragma('foreign_keys = OFF');
  try {
    migrate(db, { migrationsFolder: folder });
    const broken = db.$client.pragma('foreign_key_check');
    if (Array.isArray(broken) && broken.length > 0)
      throw new AppError('bug', 'After the migration some rows refer to rows that are gone.', {
        details: { broken: broken.length },
      });
  } finally {
    db.$client.pragma('foreign_keys = ON');
  }
}
