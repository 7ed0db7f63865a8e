/** The table of machines. Writing takes the transaction of the operation that owns the change. */
import { asc, eq, sql } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { vms } from '../db/schema';

export type VmRecord = typeof vms.$inferSelect;
type Reader = Db | Transaction;
/** As `poolGuid`: no disk of an adopted machine lies on a pool. */
export const NO_POOL = 'none';

export const listVms = (db: Reader): VmRecord[] => db.select().from(vms).orderBy(asc(vms.name)).all();

/** Those whose disks lie above that of this one; failed ones too. */
export const listVmsAbove = (db: Reader, id: string): VmRecord[] =>
  db
    .select()
    .from(vms)
    .where(eq(sql`json_extract(${vms.spec}, '$.basedOn')`, id))
    .orderBy(asc(vms.name))
    .all();

export const findVm = (db: Reader, id: string): VmRecord | null =>
  db.select().from(vms).where(eq(vms.id, id)).get() ?? null;

export const findVmByName = (db: Reader, name: string): VmRecord | null =>
  db.select().from(vms).where(eq(vms.name, name)).get() ?? null;

/** One whose creation failed is tried again: the same row. */
export const putVm = (tx: Transaction, record: VmRecord): void => {
  tx.insert(vms).values(record).onConflictDoUpdate({ target: vms.id, set: record }).run();
};
export const changeVm = (
  tx: Transaction,
  id: string,
  change: Partial<
    Pick<
      VmRecord,
      'state' | 'failedOperationId' | 'failedText' | 'cpus' | 'memoryBytes' | 'diskBytes' | 'spec'
    >
  >,
): void => {
  tx.update(vms).set(change).where(eq(vms.id, id)).run();
};
export const deleteVm = (tx: Transaction, id: string): void => {
  tx.delete(vms).where(eq(vms.id, id)).run();
};
