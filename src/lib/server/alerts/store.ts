/** The table of alerts. An open one has the id of its condition; a resolved one has its time behind, and is history. */
import { and, desc, eq, isNotNull, isNull, lt, or } from 'drizzle-orm';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Db, Transaction } from '../db/client';
import { alerts } from '../db/schema';
import type { Condition } from './condition';

type Row = typeof alerts.$inferSelect;

const alertOf = ({ subjectType, subjectId, subjectLabel, ...row }: Row): Alert => ({
  ...row,
  subject: { type: subjectType, id: subjectId, label: subjectLabel },
});
const wordsOf = ({ severity, subject, title, text, remedy }: Condition) => ({
  ...{ severity, title, text, remedy },
  ...{ subjectType: subject.type, subjectId: subject.id, subjectLabel: subject.label },
});

export const openAlerts = (db: Db): Alert[] =>
  db.select().from(alerts).where(isNull(alerts.resolvedAt)).all().map(alertOf);

/** @param before `<resolvedAt>:<id>`: two may have been resolved in one moment */
export function resolvedAlerts(db: Db, before: string | null, limit: number): Alert[] {
  const [, at, id] = /^(\d+):(.*)$/s.exec(before ?? '') ?? [];
  const older =
    at === undefined || id === undefined
      ? undefined
      : or(lt(alerts.resolvedAt, Number(at)), and(eq(alerts.resolvedAt, Number(at)), lt(alerts.id, id)));
  return db
    .select()
    .from(alerts)
    .where(and(isNotNull(alerts.resolvedAt), older))
    .orderBy(desc(alerts.resolvedAt), desc(alerts.id))
    .limit(limit)
    .all()
    .map(alertOf);
}

export const insertAlert = (tx: Transaction, condition: Condition, now: number): void => {
  tx.insert(alerts)
    .values({ id: condition.id, kind: condition.kind, ...wordsOf(condition), raisedAt: now, changedAt: now })
    .run();
};

export const changeAlert = (
  tx: Transaction,
  condition: Condition,
  now: number,
  dropAcknowledgement: boolean,
): void => {
  tx.update(alerts)
    .set({
      ...wordsOf(condition),
      changedAt: now,
      ...(dropAcknowledgement ? { acknowledgedAt: null, acknowledgedBy: null } : {}),
    })
    .where(eq(alerts.id, condition.id))
    .run();
};

/** Its id becomes free: the condition may come again. */
export const resolveAlert = (tx: Transaction, { id, raisedAt }: Alert, now: number): void => {
  tx.update(alerts)
    .set({ id: `${id}@${raisedAt}`, resolvedAt: now, changedAt: now })
    .where(eq(alerts.id, id))
    .run();
};

/** @returns false when it is not open */
export const acknowledgeAlert = (db: Db, id: string, by: string, now: number): boolean =>
  db
    .update(alerts)
    .set({ acknowledgedAt: now, acknowledgedBy: by })
    .where(and(eq(alerts.id, id), isNull(alerts.resolvedAt), isNull(alerts.acknowledgedAt)))
    .run().changes > 0;

export const deleteResolvedBefore = (db: Db, at: number): void => {
  db.delete(alerts).where(lt(alerts.resolvedAt, at)).run();
};
