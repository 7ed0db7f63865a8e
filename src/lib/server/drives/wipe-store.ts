/** What was saved before drives were wiped. */
import { and, desc, eq, isNull, lt } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { wipeBackups } from '../db/schema';

export type WipeBackup = typeof wipeBackups.$inferSelect;

export const addBackup = (tx: Transaction, row: WipeBackup): void => {
  tx.insert(wipeBackups).values(row).run();
};
export const markTakenBack = (tx: Transaction, id: string, takenBackAt: number): void => {
  tx.update(wipeBackups).set({ takenBackAt }).where(eq(wipeBackups.id, id)).run();
};
export const findBackup = (db: Db, id: string): WipeBackup | null =>
  db.select().from(wipeBackups).where(eq(wipeBackups.id, id)).get() ?? null;

export const countBackups = (db: Db, driveId: string): number =>
  db.select({ id: wipeBackups.id }).from(wipeBackups).where(eq(wipeBackups.driveId, driveId)).all().length;

/** Those whose file is still there, and was saved before a time. */
export const backupsBefore = (db: Db, at: number): WipeBackup[] =>
  db
    .select()
    .from(wipeBackups)
    .where(and(isNull(wipeBackups.expiredAt), lt(wipeBackups.createdAt, at)))
    .all();
export const markExpired = (db: Db, id: string, expiredAt: number): void => {
  db.update(wipeBackups).set({ expiredAt }).where(eq(wipeBackups.id, id)).run();
};

/** The last wipe of each drive that was not taken back. */
export function lastBackups(db: Db): Map<string, WipeBackup> {
  const rows = db
    .select()
    .from(wipeBackups)
    .where(isNull(wipeBackups.takenBackAt))
    .orderBy(desc(wipeBackups.createdAt))
    .all();
  return new Map(rows.toReversed().map((row) => [row.driveId, row]));
}

/** A later wipe or a use of the drive makes it worthless. */
export const newerBackup = (db: Db, row: WipeBackup): boolean =>
  db
    .select()
    .from(wipeBackups)
    .where(and(eq(wipeBackups.driveId, row.driveId), isNull(wipeBackups.takenBackAt)))
    .all()
    .some((other) => other.createdAt > row.createdAt);
