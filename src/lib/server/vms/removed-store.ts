/** The table of machines that were removed, and how long they are kept. */
import { asc, eq, lte } from 'drizzle-orm';
import { KEEP_DAYS } from '$lib/shared/wire/removed-vms';
import type { Db, Transaction } from '../db/client';
import { meta, removedVms } from '../db/schema';

export type RemovedRecord = typeof removedVms.$inferSelect;
type Reader = Db | Transaction;
const DAYS_KEY = 'removed-vms-keep-days';

export const listRemoved = (db: Reader): RemovedRecord[] =>
  db.select().from(removedVms).orderBy(asc(removedVms.removedAt)).all();

export const findRemoved = (db: Reader, id: string): RemovedRecord | null =>
  db.select().from(removedVms).where(eq(removedVms.id, id)).get() ?? null;

/** Those whose time is over, the oldest first. */
export const removedUntil = (db: Reader, now: number): RemovedRecord[] =>
  db.select().from(removedVms).where(lte(removedVms.keptUntil, now)).orderBy(asc(removedVms.keptUntil)).all();

export const putRemoved = (tx: Transaction, record: RemovedRecord): void => {
  tx.insert(removedVms).values(record).onConflictDoUpdate({ target: removedVms.id, set: record }).run();
};
export const deleteRemoved = (tx: Transaction, id: string): void => {
  tx.delete(removedVms).where(eq(removedVms.id, id)).run();
};

export const keepDays = (db: Reader): number =>
  Number(db.select().from(meta).where(eq(meta.key, DAYS_KEY)).get()?.value ?? KEEP_DAYS);
export const putKeepDays = (db: Reader, days: number): void => {
  const value = String(days);
  db.insert(meta)
    .values({ key: DAYS_KEY, value })
    .onConflictDoUpdate({ target: meta.key, set: { value } })
    .run();
};
