/** The table of every drive ever seen: what a person said about it, and when it was seen. What it is now is read from the machine. */
import { eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { drives, meta } from '../db/schema';

export type DriveRow = typeof drives.$inferSelect;

const INSTALLATION_KEY = 'installation';

export const allRows = (db: Db): DriveRow[] => db.select().from(drives).all();

export function putRows(db: Db, rows: DriveRow[]): void {
  db.transaction((tx) => {
    for (const row of rows) {
      const { id: _, ...values } = row;
      tx.insert(drives).values(row).onConflictDoUpdate({ target: drives.id, set: values }).run();
    }
  });
}

/** In the transaction that ends the operation which took it out of its pool. */
export const setDriveAside = (tx: Transaction, id: string, why: string, at: number): void => {
  tx.update(drives).set({ setAsideAt: at, setAsideWhy: why }).where(eq(drives.id, id)).run();
};

export const removeRow = (tx: Transaction, id: string): void => {
  tx.delete(drives).where(eq(drives.id, id)).run();
};

/** Four hexadecimal digits that tell this installation's sandbox drives from another's; made once. */
export function installationDigits(db: Db, make: () => string): string {
  return db.transaction((tx) => {
    const found = tx.select().from(meta).where(eq(meta.key, INSTALLATION_KEY)).get();
    if (found) return found.value;
    const value = make();
    tx.insert(meta).values({ key: INSTALLATION_KEY, value }).run();
    return value;
  });
}
