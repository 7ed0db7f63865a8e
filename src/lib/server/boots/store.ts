/** The table of starts, and the sign of life of the one that runs. */
import { desc, eq, lt } from 'drizzle-orm';
import type { BootReport } from '$lib/shared/wire/boots';
import type { Db } from '../db/client';
import { boots, meta } from '../db/schema';

/** What is known of the last moment that Cairn ran. */
export interface Life {
  bootId: string;
  version: string;
  aliveAt: number;
  /** It was stopped in order, then; null: it runs, or ended without warning. */
  stoppedAt: number | null;
  drives: { id: string; label: string }[];
  pools: { guid: string; label: string; status: string }[];
}
const LIFE = 'life';

export function readLife(db: Db): Life | null {
  const row = db.select().from(meta).where(eq(meta.key, LIFE)).get();
  return row ? (JSON.parse(row.value) as Life) : null;
}
export function writeLife(db: Db, life: Life): void {
  const value = JSON.stringify(life);
  db.insert(meta).values({ key: LIFE, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
}

type Kept = Omit<BootReport, 'id'>;
const reportOf = ({ id, report, dismissedAt }: typeof boots.$inferSelect): BootReport => ({
  ...report,
  id: String(id),
  dismissedAt,
});
export function insertBoot(db: Db, report: Kept): BootReport {
  const { startedAt, dismissedAt } = report;
  return reportOf(db.insert(boots).values({ startedAt, report, dismissedAt }).returning().get());
}
export const updateBoot = (db: Db, { id, ...report }: BootReport): void => {
  db.update(boots)
    .set({ report, dismissedAt: report.dismissedAt })
    .where(eq(boots.id, Number(id)))
    .run();
};
export function findBoot(db: Db, id: number): BootReport | null {
  const row = db.select().from(boots).where(eq(boots.id, id)).get();
  return row ? reportOf(row) : null;
}
export const listBoots = (db: Db, before: number | null, limit: number): BootReport[] =>
  db
    .select()
    .from(boots)
    .where(before === null ? undefined : lt(boots.id, before))
    .orderBy(desc(boots.id))
    .limit(limit)
    .all()
    .map(reportOf);
export const forgetBootsBefore = (db: Db, at: number): void => {
  db.delete(boots).where(lt(boots.startedAt, at)).run();
};
