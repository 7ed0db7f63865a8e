/** The tables of channels and of what is told by them. */
import { and, asc, count, desc, eq, exists, inArray, isNull, lt, lte, max, min, not } from 'drizzle-orm';
import type { Db, Transaction } from '../db/client';
import { alerts, channels, meta, outbox } from '../db/schema';

export type ChannelRow = typeof channels.$inferSelect;
export type OutboxRow = typeof outbox.$inferSelect;
export type NewOutboxRow = typeof outbox.$inferInsert;
type Either = Db | Transaction;

export const channelRows = (db: Either): ChannelRow[] =>
  db.select().from(channels).orderBy(asc(channels.createdAt), asc(channels.id)).all();
export const channelRow = (db: Either, id: string): ChannelRow | undefined =>
  db.select().from(channels).where(eq(channels.id, id)).get();
export const channelNamed = (db: Either, name: string): ChannelRow | undefined =>
  db.select().from(channels).where(eq(channels.name, name)).get();
export const insertChannel = (db: Either, row: ChannelRow): void => {
  db.insert(channels).values(row).run();
};
export const updateChannel = (db: Either, id: string, set: Partial<ChannelRow>): void => {
  db.update(channels).set(set).where(eq(channels.id, id)).run();
};
export const deleteChannel = (db: Either, id: string): void => {
  db.delete(channels).where(eq(channels.id, id)).run();
};

const BASE_URL = 'notifications-base-url';
export const baseUrlOf = (db: Either): string | null =>
  db.select().from(meta).where(eq(meta.key, BASE_URL)).get()?.value ?? null;
export const setBaseUrl = (db: Db, value: string | null): void => {
  if (value === null) db.delete(meta).where(eq(meta.key, BASE_URL)).run();
  else
    db.insert(meta)
      .values({ key: BASE_URL, value })
      .onConflictDoUpdate({ target: meta.key, set: { value } })
      .run();
};

export const insertMessage = (tx: Either, row: NewOutboxRow): void => {
  tx.insert(outbox).values(row).run();
};
export const updateMessage = (db: Either, id: string, set: Partial<OutboxRow>): void => {
  db.update(outbox).set(set).where(eq(outbox.id, id)).run();
};
/** Has this channel been asked to tell of this alert? */
export const knowsAlert = (tx: Either, channelId: string, alertId: string, raisedAt: number): boolean =>
  tx
    .select({ id: outbox.id })
    .from(outbox)
    .where(
      and(eq(outbox.channelId, channelId), eq(outbox.alertId, alertId), eq(outbox.alertRaisedAt, raisedAt)),
    )
    .limit(1)
    .get() !== undefined;

/** Oldest first; those that wait for their next attempt too. */
export const waitingMessages = (db: Either, channelId: string): OutboxRow[] =>
  db
    .select()
    .from(outbox)
    .where(and(eq(outbox.channelId, channelId), eq(outbox.state, 'waiting')))
    .orderBy(asc(outbox.seq))
    .all();
export const heldMessages = (db: Either, channelId: string): OutboxRow[] =>
  db
    .select()
    .from(outbox)
    .where(and(eq(outbox.channelId, channelId), eq(outbox.state, 'held')))
    .orderBy(asc(outbox.seq))
    .all();
/** Channels that have something to do now. */
export const dueChannels = (db: Db, now: number): string[] =>
  db
    .selectDistinct({ id: outbox.channelId })
    .from(outbox)
    .where(and(inArray(outbox.state, ['waiting', 'held']), lte(outbox.dueAt, now)))
    .all()
    .map(({ id }) => id);

/** A channel that works again, or was changed, is asked at once. */
export const tryNow = (db: Either, channelId: string, now: number): void => {
  db.update(outbox)
    .set({ dueAt: now })
    .where(and(eq(outbox.channelId, channelId), eq(outbox.state, 'waiting')))
    .run();
};
export const latestMessages = (db: Db, limit: number): OutboxRow[] =>
  db.select().from(outbox).orderBy(desc(outbox.seq)).limit(limit).all();

export interface ChannelCounts {
  held: number;
  waiting: number;
  lastToldAt: number | null;
  lastError: string | null;
}
export function countsOf(db: Db, channelId: string): ChannelCounts {
  const of = (state: OutboxRow['state']): number =>
    db
      .select({ n: count() })
      .from(outbox)
      .where(and(eq(outbox.channelId, channelId), eq(outbox.state, state)))
      .get()?.n ?? 0;
  const told = db
    .select({ at: max(outbox.endedAt) })
    .from(outbox)
    .where(and(eq(outbox.channelId, channelId), eq(outbox.state, 'told')))
    .get();
  const failing = db
    .select({ error: outbox.lastError })
    .from(outbox)
    .where(and(eq(outbox.channelId, channelId), eq(outbox.state, 'waiting')))
    .orderBy(desc(outbox.attempts))
    .limit(1)
    .get();
  return {
    held: of('held'),
    waiting: of('waiting'),
    lastToldAt: told?.at ?? null,
    lastError: failing?.error ?? null,
  };
}

export interface Trouble {
  channelId: string;
  name: string;
  since: number;
  error: string;
}
/** Channels by which something should have been told since before `at`, and was not. */
export function lateChannels(db: Db, at: number): Trouble[] {
  return channelRows(db).flatMap(({ id, name }): Trouble[] => {
    const mine = eq(outbox.channelId, id);
    const told = db
      .select({ seq: max(outbox.seq) })
      .from(outbox)
      .where(and(mine, eq(outbox.state, 'told')))
      .get();
    // What was given up counts until something arrives again.
    const rows = db
      .select({ since: min(outbox.firstTriedAt), seq: max(outbox.seq), error: max(outbox.lastError) })
      .from(outbox)
      .where(and(mine, inArray(outbox.state, ['waiting', 'failed']), lte(outbox.firstTriedAt, at)))
      .groupBy(outbox.state)
      .all()
      .filter(({ seq }) => (seq ?? 0) > (told?.seq ?? 0));
    const [first] = rows.toSorted((a, b) => (a.since ?? 0) - (b.since ?? 0));
    return first?.since ? [{ channelId: id, name, since: first.since, error: first.error ?? '' }] : [];
  });
}

/** What is over for long, but for what is known of alerts that still hold: their end is to be told too. */
export const forgetMessagesBefore = (db: Db, at: number): void => {
  const open = db
    .select({ id: alerts.id })
    .from(alerts)
    .where(and(eq(alerts.id, outbox.alertId), isNull(alerts.resolvedAt)));
  db.delete(outbox)
    .where(and(lt(outbox.endedAt, at), not(exists(open))))
    .run();
};
