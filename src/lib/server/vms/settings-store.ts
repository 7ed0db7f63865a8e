/** The table of what people want of machines. */
import { eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { vmSettings } from '../db/schema';

export type VmSettings = Omit<typeof vmSettings.$inferSelect, 'vmId'>;
type Reader = Db | Transaction;

const DEFAULTS: VmSettings = {
  ...{ isProtected: false, autostart: false, startOrder: 0, startDelaySeconds: 0 },
  ...{ turnBootId: null, turnText: null, tags: [], notes: '' },
};

export const settingsOf = (db: Reader, vmId: string): VmSettings =>
  db.select().from(vmSettings).where(eq(vmSettings.vmId, vmId)).get() ?? DEFAULTS;

/** It is to start by itself, and in this boot of the host nobody has decided about it yet. */
export const isDue = ({ autostart, turnBootId }: VmSettings, bootId: string): boolean =>
  autostart && turnBootId !== bootId;

/** Its turn has come, or somebody has started or stopped it: in this boot it does not start by itself any more. */
export function endTurn(db: Reader, vmId: string, bootId: string, turnText: string | null = null): void {
  if (settingsOf(db, vmId).autostart) changeSettings(db, vmId, { turnBootId: bootId, turnText });
}

export function changeSettings(db: Reader, vmId: string, change: Partial<VmSettings>): void {
  db.insert(vmSettings)
    .values({ vmId, ...change })
    .onConflictDoUpdate({ target: vmSettings.vmId, set: change })
    .run();
}
