/** The table of what people want of machines. */
import { eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { vmSettings } from '../db/schema';

export type VmSettings = Omit<typeof vmSettings.$inferSelect, 'vmId'>;
type Reader = Db | Transaction;

const DEFAULTS: VmSettings = {
  ...{ isProtected: false, autostart: false, startOrder: 0, startDelaySeconds: 0 },
  ...{ turnBootId: null, turnText: null },
};

export const settingsOf = (db: Reader, vmId: string): VmSettings =>
  db.select().from(vmSettings).where(eq(vmSettings.vmId, vmId)).get() ?? DEFAULTS;

export function changeSettings(db: Reader, vmId: string, change: Partial<VmSettings>): void {
  db.insert(vmSettings)
    .values({ vmId, ...change })
    .onConflictDoUpdate({ target: vmSettings.vmId, set: change })
    .run();
}
