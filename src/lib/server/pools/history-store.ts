/** What happened to pools, newest first. Rows stay when their pool is gone, and go with their age. */
import { and, desc, eq, like, lt, max } from 'drizzle-orm';
import type { PoolEventKind } from '$lib/shared/states';
import type { PoolEvent } from '$lib/shared/wire/pool-history';
import type { Db, Transaction } from '../db/client';
import { poolEvents } from '../db/schema';

type Reader = Db | Transaction;
type NewPoolEvent = Omit<typeof poolEvents.$inferInsert, 'id'>;

const columns = {
  id: poolEvents.id,
  at: poolEvents.at,
  kind: poolEvents.kind,
  text: poolEvents.text,
  operationId: poolEvents.operationId,
};

export const insertEvent = (db: Reader, event: NewPoolEvent): void => {
  db.insert(poolEvents).values(event).run();
};

export const pageEvents = (
  db: Reader,
  poolGuid: string,
  { before, limit }: { before: number | null; limit: number },
): PoolEvent[] =>
  db
    .select(columns)
    .from(poolEvents)
    .where(and(eq(poolEvents.poolGuid, poolGuid), before === null ? undefined : lt(poolEvents.id, before)))
    .orderBy(desc(poolEvents.id))
    .limit(limit)
    .all();

/** The newest sentence of this kind that begins with the word. */
export const latestText = (db: Reader, poolGuid: string, kind: PoolEventKind, word: string): string | null =>
  db
    .select({ text: poolEvents.text })
    .from(poolEvents)
    .where(
      and(eq(poolEvents.poolGuid, poolGuid), eq(poolEvents.kind, kind), like(poolEvents.text, `${word}%`)),
    )
    .orderBy(desc(poolEvents.id))
    .limit(1)
    .get()?.text ?? null;

export const latestEventId = (db: Reader, poolGuid: string): number | null =>
  db
    .select({ id: max(poolEvents.id) })
    .from(poolEvents)
    .where(eq(poolEvents.poolGuid, poolGuid))
    .get()?.id ?? null;

export const hasOperationEvent = (db: Reader, poolGuid: string, operationId: string): boolean =>
  db
    .select({ id: poolEvents.id })
    .from(poolEvents)
    .where(and(eq(poolEvents.poolGuid, poolGuid), eq(poolEvents.operationId, operationId)))
    .get() !== undefined;

export const deleteEventsBefore = (db: Reader, at: number): void => {
  db.delete(poolEvents).where(lt(poolEvents.at, at)).run();
};
