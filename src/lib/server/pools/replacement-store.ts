/** How far replacements are: a row a pool, gone with its pool. */
import { eq } from 'drizzle-orm';
import type { Db } from '../db/client';
import { replaceGuides } from '../db/schema';

export type ReplacementRow = typeof replaceGuides.$inferSelect;

export const listReplacements = (db: Db): ReplacementRow[] => db.select().from(replaceGuides).all();
export const findReplacement = (db: Db, poolGuid: string): ReplacementRow | null =>
  db.select().from(replaceGuides).where(eq(replaceGuides.poolGuid, poolGuid)).get() ?? null;

/** A pool has one at a time. */
export function putReplacement(db: Db, row: ReplacementRow): void {
  const { poolGuid: _, ...values } = row;
  db.insert(replaceGuides)
    .values(row)
    .onConflictDoUpdate({ target: replaceGuides.poolGuid, set: values })
    .run();
}
export const removeReplacement = (db: Db, poolGuid: string): void => {
  db.delete(replaceGuides).where(eq(replaceGuides.poolGuid, poolGuid)).run();
};
