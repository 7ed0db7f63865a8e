/** The table of catalog entries that people made. */
import { asc, eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { catalogEntries, catalogReadings } from '../db/schema';

export type EntryRecord = typeof catalogEntries.$inferSelect;

export const listEntries = (db: Db): EntryRecord[] =>
  db.select().from(catalogEntries).orderBy(asc(catalogEntries.name)).all();

export const findEntry = (db: Db, id: string): EntryRecord | null =>
  db.select().from(catalogEntries).where(eq(catalogEntries.id, id)).get() ?? null;

export const findEntryByName = (db: Db, name: string): EntryRecord | null =>
  db.select().from(catalogEntries).where(eq(catalogEntries.name, name)).get() ?? null;

export const saveEntryRecord = (tx: Transaction, { id, ...rest }: EntryRecord): void => {
  tx.insert(catalogEntries)
    .values({ id, ...rest })
    .onConflictDoUpdate({ target: catalogEntries.id, set: rest })
    .run();
};
export const deleteEntry = (tx: Transaction, id: string): void => {
  tx.delete(catalogEntries).where(eq(catalogEntries.id, id)).run();
};

export type ReadingRecord = typeof catalogReadings.$inferSelect;

export const findReading = (db: Db, entryId: string): ReadingRecord | null =>
  db.select().from(catalogReadings).where(eq(catalogReadings.entryId, entryId)).get() ?? null;
export const saveReading = (db: Db, { entryId, ...rest }: ReadingRecord): void => {
  db.insert(catalogReadings)
    .values({ entryId, ...rest })
    .onConflictDoUpdate({ target: catalogReadings.entryId, set: rest })
    .run();
};
export const dropReading = (db: Db, entryId: string): void => {
  db.delete(catalogReadings).where(eq(catalogReadings.entryId, entryId)).run();
};
