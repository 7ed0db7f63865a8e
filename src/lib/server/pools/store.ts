/** The pools' tables. Writing takes the transaction of the operation that owns the change. */
import { asc, eq } from 'drizzle-orm';
import { labelKey } from '$lib/shared/names';
import type { Db, Transaction } from '../db/client';
import { poolDrives, pools } from '../db/schema';

type Row = typeof pools.$inferSelect;
export type PoolDriveRow = typeof poolDrives.$inferSelect;
/** A pool with its drives in the order of their slots. */
export interface PoolRecord extends Row {
  drives: PoolDriveRow[];
}
export type NewPool = Omit<typeof pools.$inferInsert, 'labelKey'>;
export type PoolChange = Partial<Pick<Row, 'state' | 'wantMounted' | 'errorMessage' | 'label'>>;
type Reader = Db | Transaction;

const drivesOf = (db: Reader, guid: string): PoolDriveRow[] =>
  db.select().from(poolDrives).where(eq(poolDrives.poolGuid, guid)).orderBy(asc(poolDrives.slot)).all();

export function listPools(db: Reader): PoolRecord[] {
  const rows = db.select().from(pools).orderBy(asc(pools.createdAt), asc(pools.guid)).all();
  return rows.map((row) => ({ ...row, drives: drivesOf(db, row.guid) }));
}

export function findPool(db: Reader, guid: string): PoolRecord | null {
  const row = db.select().from(pools).where(eq(pools.guid, guid)).get();
  return row ? { ...row, drives: drivesOf(db, guid) } : null;
}

export const findByLabel = (db: Reader, label: string): Row | null =>
  db
    .select()
    .from(pools)
    .where(eq(pools.labelKey, labelKey(label)))
    .get() ?? null;

export const findByMountPath = (db: Reader, mountPath: string): Row | null =>
  db.select().from(pools).where(eq(pools.mountPath, mountPath)).get() ?? null;

export function findByDrive(db: Reader, driveId: string): { guid: string; label: string } | null {
  const row = db
    .select({ guid: pools.guid, label: pools.label })
    .from(poolDrives)
    .innerJoin(pools, eq(pools.guid, poolDrives.poolGuid))
    .where(eq(poolDrives.driveId, driveId))
    .get();
  return row ?? null;
}

export function insertPool(tx: Transaction, pool: NewPool, drives: Omit<PoolDriveRow, 'poolGuid'>[]): void {
  tx.insert(pools)
    .values({ ...pool, labelKey: labelKey(pool.label) })
    .run();
  for (const drive of drives)
    tx.insert(poolDrives)
      .values({ ...drive, poolGuid: pool.guid })
      .run();
}

export function changePool(tx: Transaction, guid: string, change: PoolChange, now: number): void {
  const key = change.label === undefined ? {} : { labelKey: labelKey(change.label) };
  tx.update(pools)
    .set({ ...change, ...key, updatedAt: now })
    .where(eq(pools.guid, guid))
    .run();
}

/** Its drives' rows go with it. */
export const deletePool = (tx: Transaction, guid: string): void => {
  tx.delete(pools).where(eq(pools.guid, guid)).run();
};
