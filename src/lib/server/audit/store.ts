/** The table of audit entries: added to, ended once, and shortened from its old end; triggers refuse anything else. */
import { and, asc, count, desc, eq, gte, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import { AUDIT_KINDS, type AuditKind } from '$lib/shared/audit-words';
import type { AuditFilter } from '$lib/shared/wire/audit';
import type { Db } from '../db/client';
import { auditEntries } from '../db/schema';

export type AuditRow = typeof auditEntries.$inferSelect;
export type NewAuditRow = typeof auditEntries.$inferInsert;
export type AuditEnd = Pick<AuditRow, 'outcome' | 'code' | 'operationId' | 'endedAt'>;

const holding = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

function conditions({ who, what, kind, outcome, from, until }: AuditFilter): (SQL | undefined)[] {
  const has = (column: SQL | typeof auditEntries.what, value: string): SQL =>
    sql`${column} like ${holding(value)} escape '\\'`;
  return [
    who ? or(has(sql`${auditEntries.actorName}`, who), has(sql`${auditEntries.address}`, who)) : undefined,
    what ? has(auditEntries.what, what) : undefined,
    kind ? eq(auditEntries.kind, kind) : undefined,
    outcome ? eq(auditEntries.outcome, outcome) : undefined,
    from === undefined ? undefined : gte(auditEntries.at, from),
    until === undefined ? undefined : lte(auditEntries.at, until),
  ];
}

export function createAuditStore(db: Db) {
  const counted = (kind: AuditKind): number =>
    db.select({ n: count() }).from(auditEntries).where(eq(auditEntries.kind, kind)).get()?.n ?? 0;
  /** Ids of the oldest ones of a kind, oldest first: the only order in which they may go. */
  const oldest = (kind: AuditKind, limit: number, before?: number): number[] =>
    db
      .select({ id: auditEntries.id })
      .from(auditEntries)
      .where(and(eq(auditEntries.kind, kind), before === undefined ? undefined : lt(auditEntries.at, before)))
      .orderBy(asc(auditEntries.id))
      .limit(limit)
      .all()
      .map(({ id }) => id);
  const remove = (ids: number[]): void =>
    db.transaction((tx) => {
      for (const id of ids) tx.delete(auditEntries).where(eq(auditEntries.id, id)).run();
    });
  return {
    insert: (row: NewAuditRow): number => Number(db.insert(auditEntries).values(row).run().lastInsertRowid),
    end: (id: number, end: AuditEnd): void =>
      void db.update(auditEntries).set(end).where(eq(auditEntries.id, id)).run(),
    /** At the start: what had begun when the process ended. */
    interrupt: (now: number): number =>
      db
        .update(auditEntries)
        .set({ outcome: 'interrupted', endedAt: now })
        .where(eq(auditEntries.outcome, 'begun'))
        .run().changes,
    page: (filter: AuditFilter, before: number | null, limit: number): AuditRow[] =>
      db
        .select()
        .from(auditEntries)
        .where(and(...conditions(filter), before === null ? undefined : lt(auditEntries.id, before)))
        .orderBy(desc(auditEntries.id))
        .limit(limit)
        .all(),
    /** Newest first: of an account, and of who did not get into it. */
    signIns: (userId: string, username: string, limit: number): AuditRow[] =>
      db
        .select()
        .from(auditEntries)
        .where(
          and(
            eq(auditEntries.kind, 'sign-in'),
            or(
              eq(auditEntries.actorId, userId),
              and(eq(auditEntries.actorKind, 'nobody'), eq(auditEntries.actorName, username)),
            ),
          ),
        )
        .orderBy(desc(auditEntries.id))
        .limit(limit)
        .all(),
    /** Keeps the newest of each kind, and none from before `since`; a piece at a time, so that nobody waits for long. */
    shorten(keep: number, since: number, piece = 2_000): number {
      let removed = 0;
      for (const kind of AUDIT_KINDS) {
        const tooMany = Math.max(0, counted(kind) - keep);
        const ids = [...oldest(kind, piece, since), ...oldest(kind, Math.min(tooMany, piece))];
        const going = [...new Set(ids)].toSorted((a, b) => a - b);
        remove(going);
        removed += going.length;
      }
      return removed;
    },
  };
}
export type AuditStore = ReturnType<typeof createAuditStore>;
