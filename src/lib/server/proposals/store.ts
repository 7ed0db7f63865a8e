import { and, count, desc, eq, inArray, lt } from 'drizzle-orm';
import type { Db } from '../db/client';
import { proposals } from '../db/schema';

export type ProposalRow = typeof proposals.$inferSelect;

export const createProposalStore = (db: Db) => ({
  insert: (row: ProposalRow): void => void db.insert(proposals).values(row).run(),
  get: (id: string): ProposalRow | undefined => db.select().from(proposals).where(eq(proposals.id, id)).get(),
  latest: (limit: number): ProposalRow[] =>
    db.select().from(proposals).orderBy(desc(proposals.createdAt)).limit(limit).all(),
  waiting: (): number =>
    db.select({ n: count() }).from(proposals).where(eq(proposals.state, 'waiting')).get()?.n ?? 0,
  /** False when somebody else has decided already. */
  decide: (
    id: string,
    from: ProposalRow['state'],
    set: Pick<ProposalRow, 'state' | 'decidedBy' | 'decidedAt' | 'operationId'>,
  ): boolean =>
    db
      .update(proposals)
      .set(set)
      .where(and(eq(proposals.id, id), eq(proposals.state, from)))
      .run().changes === 1,
  removeDecided: (before: number): void =>
    void db
      .delete(proposals)
      .where(and(inArray(proposals.state, ['approved', 'rejected']), lt(proposals.createdAt, before)))
      .run(),
});
