/** The table of what people want of machines. */
import { eq } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { HOST_STOP } from '$lib/shared/wire/vm-host-stop';
import { vmSettings } from '../db/schema';

export type VmSettings = Omit<typeof vmSettings.$inferSelect, 'vmId'>;
type Reader = Db | Transaction;

const DEFAULTS: VmSettings = {
  ...{ isProtected: false, autostart: false, startOrder: 0, startDelaySeconds: 0 },
  ...{ turnBootId: null, turnText: null, tags: [], notes: '', startsAgain: HOST_STOP.startsAgain },
  ...{ hostStopSeconds: HOST_STOP.seconds, hostStopThen: HOST_STOP.otherwise, ranAtHostStop: false },
};

export const settingsOf = (db: Reader, vmId: string): VmSettings =>
  db.select().from(vmSettings).where(eq(vmSettings.vmId, vmId)).get() ?? DEFAULTS;

/** Of every machine, read once. */
export function allSettings(db: Reader): (vmId: string) => VmSettings {
  const rows = new Map(
    db
      .select()
      .from(vmSettings)
      .all()
      .map((row) => [row.vmId, row]),
  );
  return (vmId) => rows.get(vmId) ?? DEFAULTS;
}

/** It is to start by itself, and in this boot of the host nobody has decided about it yet. */
export const isDue = (settings: VmSettings, bootId: string): boolean =>
  (settings.autostart || settings.ranAtHostStop) && settings.turnBootId !== bootId;

/** Its turn has come, or somebody has started or stopped it: in this boot it does not start by itself any more. */
export function endTurn(db: Reader, vmId: string, bootId: string, turnText: string | null = null): void {
  const { autostart, ranAtHostStop } = settingsOf(db, vmId);
  if (autostart || ranAtHostStop)
    changeSettings(db, vmId, { turnBootId: bootId, turnText, ranAtHostStop: false });
}

/** The host goes down: its turn comes in the next boot, when it is to start again. */
export function leaveWithHost(db: Reader, vmId: string, bootId: string): void {
  const { startsAgain } = settingsOf(db, vmId);
  if (startsAgain) changeSettings(db, vmId, { turnBootId: bootId, turnText: null, ranAtHostStop: true });
}

export function changeSettings(db: Reader, vmId: string, change: Partial<VmSettings>): void {
  db.insert(vmSettings)
    .values({ vmId, ...change })
    .onConflictDoUpdate({ target: vmSettings.vmId, set: change })
    .run();
}
