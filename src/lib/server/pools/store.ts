/** The pools' tables. Writing takes the transaction of the operation that owns the change. */
import { and, asc, eq, sql } from 'drizzle-orm';
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

const prepare = (db: Reader) => ({
  all: db.select().from(pools).orderBy(asc(pools.createdAt), asc(pools.guid)).prepare(),
  byGuid: db
    .select()
    .from(pools)
    .where(eq(pools.guid, sql.placeholder('guid')))
    .prepare(),
  drivesOf: db
    .select()
    .from(poolDrives)
    .where(eq(poolDrives.poolGuid, sql.placeholder('guid')))
    .orderBy(asc(poolDrives.slot))
    .prepare(),
  ownerOf: db
    .select({ guid: pools.guid, label: pools.label })
    .from(poolDrives)
    .innerJoin(pools, eq(pools.guid, poolDrives.poolGuid))
    .where(eq(poolDrives.driveId, sql.placeholder('driveId')))
    .prepare(),
});
/** What is asked at every change that is shown is prepared once for a database; a transaction lives too shortly for that. */
const prepared = new WeakMap<Reader, ReturnType<typeof prepare>>();
function statements(db: Reader): ReturnType<typeof prepare> {
  const known = prepared.get(db) ?? prepare(db);
  prepared.set(db, known);
  return known;
}

export function listPools(db: Reader): PoolRecord[] {
  const { all, drivesOf } = statements(db);
  return all.all().map((row) => ({ ...row, drives: drivesOf.all({ guid: row.guid }) }));
}

export function findPool(db: Reader, guid: string): PoolRecord | null {
  const { byGuid, drivesOf } = statements(db);
  const row = byGuid.get({ guid });
  return row ? { ...row, drives: drivesOf.all({ guid }) } : null;
}

export const findByLabel = (db: Reader, label: string): Row | null =>
  db
    .select()
    .from(pools)
    .where(eq(pools.labelKey, labelKey(label)))
    .get() ?? null;

export const findByMountPath = (db: Reader, mountPath: string): Row | null =>
  db.select().from(pools).where(eq(pools.mountPath, mountPath)).get() ?? null;

export const findByDrive = (db: Reader, driveId: string): { guid: string; label: string } | null =>
  statements(db).ownerOf.get({ driveId }) ?? null;

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

export const addPoolDrive = (tx: Transaction, row: PoolDriveRow): void => {
  tx.insert(poolDrives).values(row).run();
};
export const removePoolDrive = (tx: Transaction, guid: string, driveId: string): void => {
  tx.delete(poolDrives)
    .where(and(eq(poolDrives.poolGuid, guid), eq(poolDrives.driveId, driveId)))
    .run();
};

/** Its drives' rows go with it. */
export const deletePool = (tx: Transaction, guid: string): void => {
  tx.delete(pools).where(eq(pools.guid, guid)).run();
};
