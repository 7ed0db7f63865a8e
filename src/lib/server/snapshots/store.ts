/** The tables of snapshots and of their schedules. What snapshots there are is asked of the machine, never of these. */
import { and, eq, notInArray } from 'drizzle-orm';
import { snapshotTiming, type SnapshotScheduleRequest } from '$lib/shared/wire/snapshots';
import type { SnapshotTier } from '$lib/shared/snapshot-tiers';
import type { Db, Transaction } from '../db/client';
import { operations, poolSnapshots, schedules } from '../db/schema';
import { readName } from '$lib/shared/snapshot-names';
import { cronOf } from './timing';

export type SnapshotRow = typeof poolSnapshots.$inferSelect;

export const snapshotRows = (db: Db, poolGuid: string): SnapshotRow[] =>
  db.select().from(poolSnapshots).where(eq(poolSnapshots.poolGuid, poolGuid)).all();

export const isProtected = (db: Db, poolGuid: string, name: string): boolean =>
  snapshotRows(db, poolGuid).some((row) => row.name === name && row.protected);

/** Who asked for the operation made it. */
export function insertSnapshot(
  tx: Transaction,
  row: Omit<SnapshotRow, 'madeBy' | 'protected'> & { operationId: string },
): void {
  const { operationId, ...rest } = row;
  const asked = tx
    .select({ madeBy: operations.requestedBy })
    .from(operations)
    .where(eq(operations.id, operationId))
    .get();
  tx.insert(poolSnapshots)
    .values({ ...rest, madeBy: asked?.madeBy ?? '' })
    .onConflictDoUpdate({
      target: [poolSnapshots.poolGuid, poolSnapshots.name],
      set: { madeAt: rest.madeAt, madeBy: asked?.madeBy ?? '', origin: rest.origin },
    })
    .run();
}
/** Of one without a record. What another Cairn's schedule made is nothing that this one's clock may remove. */
export const originByName = (name: string): 'roll-back' | 'outside' =>
  readName(name).origin === 'roll-back' ? 'roll-back' : 'outside';

/** Of one that was made elsewhere there is no row yet. */
export function protectSnapshot(
  db: Db,
  { poolGuid, name, madeAt }: Pick<SnapshotRow, 'poolGuid' | 'name' | 'madeAt'>,
  value: boolean,
): void {
  db.insert(poolSnapshots)
    .values({ poolGuid, name, madeAt, madeBy: '', origin: originByName(name), protected: value })
    .onConflictDoUpdate({
      target: [poolSnapshots.poolGuid, poolSnapshots.name],
      set: { protected: value },
    })
    .run();
}
export const deleteSnapshotRow = (tx: Transaction, poolGuid: string, name: string): void => {
  tx.delete(poolSnapshots)
    .where(and(eq(poolSnapshots.poolGuid, poolGuid), eq(poolSnapshots.name, name)))
    .run();
};

export const SCHEDULE_KIND = 'pool.snapshot.create';
export interface ScheduleRow extends SnapshotScheduleRequest {
  poolGuid: string;
  createdAt: number;
  lastRunAt: number | null;
  lastError: string | null;
}
const idOf = (poolGuid: string, tier: SnapshotTier): string => `${SCHEDULE_KIND}:${poolGuid}:${tier}`;

/** Those of one pool, or all, from the most frequent to the rarest. */
export function scheduleRows(db: Db, poolGuid?: string): ScheduleRow[] {
  const order: string[] = ['hourly', 'daily', 'weekly', 'monthly'];
  return db
    .select()
    .from(schedules)
    .where(eq(schedules.kind, SCHEDULE_KIND))
    .all()
    .filter((row) => poolGuid === undefined || row.subjectId === poolGuid)
    .map((row) => ({
      poolGuid: row.subjectId,
      tier: row.settings['tier'] as SnapshotTier,
      timing: snapshotTiming.parse(row.settings['timing']),
      keep: Number(row.settings['keep']),
      enabled: row.enabled,
      createdAt: row.createdAt,
      lastRunAt: row.lastRunAt,
      lastError: row.lastError,
    }))
    .sort((a, b) => order.indexOf(a.tier) - order.indexOf(b.tier));
}

/** A schedule that is changed begins anew: it does not make up for what it would have missed. */
export function putSchedule(db: Db, poolGuid: string, wanted: SnapshotScheduleRequest, now: number): void {
  const { tier, timing, keep, enabled } = wanted;
  const values = { cron: cronOf(tier, timing), enabled, settings: { tier, timing: { ...timing }, keep } };
  db.insert(schedules)
    .values({
      ...values,
      ...{ id: idOf(poolGuid, tier), kind: SCHEDULE_KIND, subjectId: poolGuid, createdAt: now },
    })
    .onConflictDoUpdate({
      target: schedules.id,
      set: { ...values, createdAt: now, lastRunAt: null, lastError: null },
    })
    .run();
}
export const deleteSchedule = (db: Db, poolGuid: string, tier: SnapshotTier): boolean =>
  db
    .delete(schedules)
    .where(eq(schedules.id, idOf(poolGuid, tier)))
    .run().changes > 0;

export const noteRun = (
  db: Db,
  { poolGuid, tier }: Pick<ScheduleRow, 'poolGuid' | 'tier'>,
  run: { lastRunAt?: number; lastError: string | null },
): void => {
  db.update(schedules)
    .set(run)
    .where(eq(schedules.id, idOf(poolGuid, tier)))
    .run();
};

/** What belongs to pools that are gone. */
export function forgetOthers(db: Db, poolGuids: string[]): void {
  db.delete(schedules)
    .where(and(eq(schedules.kind, SCHEDULE_KIND), notInArray(schedules.subjectId, poolGuids)))
    .run();
  db.delete(poolSnapshots).where(notInArray(poolSnapshots.poolGuid, poolGuids)).run();
}
