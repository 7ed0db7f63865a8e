/** The table of what machines used. */
import { and, asc, avg, eq, gte, lt, max, sql } from 'drizzle-orm';
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { VmUsageSample } from '$lib/shared/wire/vm-usage';
import type { Db, Transaction } from '../db/client';
import { vmSamples } from '../db/schema';

export const insertSamples = (db: Db, rows: (typeof vmSamples.$inferInsert)[]): void => {
  if (rows.length > 0) db.insert(vmSamples).values(rows).onConflictDoNothing().run();
};

const partOf = (partMs: number) => sql`${vmSamples.at} / ${sql.raw(String(partMs))}`;

/** Of parts, each with the time of its last sample. */
function averages(db: Db | Transaction) {
  const { at, vmId, ...values } = vmSamples;
  const mean = (column: AnySQLiteColumn) => avg(column).mapWith(Number);
  return db
    .select({
      ...{ vmId, at: max(at).mapWith(Number), cpuPercent: mean(values.cpuPercent) },
      // The average of nothing is null, which Number would make 0.
      memoryBytes: sql<number | null>`avg(${values.memoryBytes})`,
      ...{ readRate: mean(values.readRate), writeRate: mean(values.writeRate) },
      ...{ receiveRate: mean(values.receiveRate), sendRate: mean(values.sendRate) },
    })
    .from(vmSamples);
}

/** Averages of parts of so many milliseconds, oldest first. */
export const averagesSince = (db: Db, vmId: string, from: number, partMs: number): VmUsageSample[] =>
  averages(db)
    .where(and(eq(vmSamples.vmId, vmId), gte(vmSamples.at, from)))
    .groupBy(partOf(partMs))
    .orderBy(asc(partOf(partMs)))
    .all()
    .map(({ vmId: _vmId, ...sample }) => sample);

/** Of what is older than `before`, one average for each part stays. */
export function makeCoarse(tx: Transaction, before: number, partMs: number): void {
  const old = lt(vmSamples.at, before);
  const parts = averages(tx).where(old).groupBy(vmSamples.vmId, partOf(partMs)).all();
  tx.delete(vmSamples).where(old).run();
  for (const part of parts) tx.insert(vmSamples).values(part).run();
}
export const forgetBefore = (tx: Transaction, at: number): void => {
  tx.delete(vmSamples).where(lt(vmSamples.at, at)).run();
};
