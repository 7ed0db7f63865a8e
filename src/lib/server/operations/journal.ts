/**
 * The journal: every row of operations, their steps, commands, outputs and locks is written here and nowhere else.
 * Each function is one synchronous transaction; when it returns, the change is on disk. What every step and every shown
 * drive or pool asks is prepared once: building and compiling a statement takes longer than running it.
 */
import {
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  notExists,
  notInArray,
  or,
  sql,
  type SQL,
} from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import { LIVE_OPERATION_STATES, type OperationState, type StepState, type Verdict } from '$lib/shared/states';
import type { WireError } from '$lib/shared/wire/operations';
import type { Db, Transaction } from '../db/client';
import { commands, operationLocks, operations, outputs, steps } from '../db/schema';
import { EVERYTHING, lockRow, usersPrefix, wholeOf } from './locks';
import type { CommandEnd, CommandLine, ProcessIdentity } from '../host/types';

export type OperationRow = typeof operations.$inferSelect;
export type StepRow = typeof steps.$inferSelect;
export type CommandRow = typeof commands.$inferSelect;
export type OutputRow = typeof outputs.$inferSelect;
export type NewOperation = typeof operations.$inferInsert;
export type NewStep = typeof steps.$inferInsert;

const beginsWith = (prefix: string): SQL =>
  sql`substr(${operationLocks.lock}, 1, ${prefix.length}) = ${prefix}`;

const live = [...LIVE_OPERATION_STATES];

const prepare = (db: Db) => ({
  operation: db
    .select()
    .from(operations)
    .where(eq(operations.id, sql.placeholder('id')))
    .prepare(),
  steps: db
    .select()
    .from(steps)
    .where(eq(steps.operationId, sql.placeholder('id')))
    .orderBy(asc(steps.index))
    .prepare(),
  lockHolder: db
    .select({ operationId: operationLocks.operationId })
    .from(operationLocks)
    .where(eq(operationLocks.lock, sql.placeholder('lock')))
    .prepare(),
  newestIds: db
    .select({ id: operations.id })
    .from(operations)
    .orderBy(desc(operations.seq))
    .limit(sql.placeholder('limit'))
    .prepare(),
  liveIds: db.select({ id: operations.id }).from(operations).where(inArray(operations.state, live)).prepare(),
});

export function createJournal(db: Db) {
  const prepared = prepare(db);
  const journal = {
    transaction: <T>(work: (tx: Transaction) => T): T => db.transaction(work, { behavior: 'immediate' }),

    /** The lock of `wanted` that is held already, with its holder; null when all are free. */
    heldLock(tx: Transaction | Db, wanted: string[]): { lock: string; operationId: string } | null {
      if (wanted.length === 0) return null;
      return (
        tx
          .select()
          .from(operationLocks)
          .where(
            or(
              inArray(operationLocks.lock, wanted.map(wholeOf)),
              ...wanted.flatMap(usersPrefix).map(beginsWith),
            ),
          )
          .orderBy(asc(operationLocks.lock))
          .limit(1)
          .get() ?? null
      );
    },
    insert(tx: Transaction, operation: NewOperation, rows: NewStep[], locks: string[]): void {
      tx.insert(operations).values(operation).run();
      if (rows.length > 0) tx.insert(steps).values(rows).run();
      for (const lock of [...new Set(locks)].sort())
        tx.insert(operationLocks)
          .values({ lock: lockRow(lock, operation.id), operationId: operation.id })
          .run();
    },
    /** @returns false while another operation lives */
    holdEverything: (id: string): boolean =>
      journal.transaction((tx) => {
        if (journal.live().some((row) => row.id !== id)) return false;
        tx.insert(operationLocks).values({ lock: EVERYTHING, operationId: id }).onConflictDoNothing().run();
        return true;
      }),
    copyTo: (path: string): unknown => db.$client.prepare('VACUUM INTO ?').run(path),
    /** Sets the fields and frees the locks when the new state is not a live one. */
    update(tx: Transaction | Db, id: string, set: Partial<NewOperation>): void {
      tx.update(operations).set(set).where(eq(operations.id, id)).run();
    },
    end(tx: Transaction, id: string, state: OperationState, endedAt: number, error: WireError | null): void {
      tx.update(operations).set({ state, endedAt, error }).where(eq(operations.id, id)).run();
      tx.delete(operationLocks).where(eq(operationLocks.operationId, id)).run();
    },
    verdict(tx: Transaction | Db, id: string, verdict: Verdict, evidence: string[]): void {
      const row = journal.operation(id);
      tx.update(operations)
        .set({ verdict, evidence: [...(row?.evidence ?? []), ...evidence] })
        .where(eq(operations.id, id))
        .run();
    },
    addEvidence(id: string, sentence: string): void {
      const row = journal.operation(id);
      if (row)
        db.update(operations)
          .set({ evidence: [...row.evidence, sentence] })
          .where(eq(operations.id, id))
          .run();
    },
    step(
      operationId: string,
      index: number,
      state: StepState,
      set: { beganAt?: number; endedAt?: number; error?: string | null; bootId?: string } = {},
    ): void {
      db.update(steps)
        .set({ state, ...set })
        .where(and(eq(steps.operationId, operationId), eq(steps.index, index)))
        .run();
    },
    renewLeases(ids: string[], leaseUntil: number): void {
      if (ids.length > 0) db.update(operations).set({ leaseUntil }).where(inArray(operations.id, ids)).run();
    },

    operation: (id: string): OperationRow | undefined => prepared.operation.get({ id }),
    steps: (id: string): StepRow[] => prepared.steps.all({ id }),
    lockHolder: (lock: string): string | null => prepared.lockHolder.get({ lock })?.operationId ?? null,
    /** Ids of the newest operations and of all that live. */
    shownIds: (limit: number): Set<string> =>
      new Set([...prepared.newestIds.all({ limit }), ...prepared.liveIds.all()].map((row) => row.id)),
    live: (): OperationRow[] =>
      db.select().from(operations).where(inArray(operations.state, live)).orderBy(asc(operations.seq)).all(),
    latest: (kind: string, subjectId: string): OperationRow | undefined =>
      db
        .select()
        .from(operations)
        .where(and(eq(operations.subjectId, subjectId), eq(operations.kind, kind)))
        .orderBy(desc(operations.seq))
        .limit(1)
        .get(),
    /** Failed since then, asked for by one of these, and the last of its kind on its subject that ended. */
    lastFailures(requestedBy: string[], since: number): OperationRow[] {
      const later = alias(operations, 'later');
      const done = db
        .select({ id: later.id })
        .from(later)
        .where(
          and(
            eq(later.subjectId, operations.subjectId),
            eq(later.kind, operations.kind),
            gt(later.seq, operations.seq),
            isNotNull(later.endedAt),
          ),
        );
      return db
        .select()
        .from(operations)
        .where(
          and(
            gte(operations.endedAt, since),
            eq(operations.state, 'failed'),
            inArray(operations.requestedBy, requestedBy),
            notExists(done),
          ),
        )
        .orderBy(asc(operations.seq))
        .all();
    },
    page(options: {
      before?: number | null;
      limit: number;
      subjectId?: string | null;
      live?: boolean;
    }): OperationRow[] {
      return db
        .select()
        .from(operations)
        .where(
          and(
            options.before ? lt(operations.seq, options.before) : undefined,
            options.subjectId ? eq(operations.subjectId, options.subjectId) : undefined,
            options.live ? inArray(operations.state, live) : undefined,
          ),
        )
        .orderBy(desc(operations.seq))
        .limit(options.limit)
        .all();
    },

    addCommand(row: {
      operationId: string;
      stepIndex: number;
      phase: 'run' | 'undo';
      argv: string[];
      recordPath: string;
      startedAt: number;
    }): number {
      return db.insert(commands).values(row).returning({ id: commands.id }).get().id;
    },
    commandStarted(id: number, identity: ProcessIdentity): void {
      db.update(commands)
        .set({ pid: identity.pid, startTicks: identity.startTicks, bootId: identity.bootId })
        .where(eq(commands.id, id))
        .run();
    },
    commandEnded(id: number, end: CommandEnd): void {
      db.update(commands)
        .set({ endedAt: end.at, exitCode: end.exitCode, signal: end.signal })
        .where(eq(commands.id, id))
        .run();
    },
    commands: (operationId: string): CommandRow[] =>
      db.select().from(commands).where(eq(commands.operationId, operationId)).orderBy(asc(commands.id)).all(),
    openCommands: (operationId: string): CommandRow[] =>
      db
        .select()
        .from(commands)
        .where(and(eq(commands.operationId, operationId), isNull(commands.endedAt)))
        .all(),
    allRecordPaths: (): string[] =>
      db
        .select({ path: commands.recordPath })
        .from(commands)
        .innerJoin(operations, eq(commands.operationId, operations.id))
        .where(inArray(operations.state, live))
        .all()
        .map((row) => row.path),
    /** @returns id of the last line written */
    addOutput(operationId: string, commandId: number, lines: CommandLine[]): number {
      return db.transaction((tx) => {
        let last = 0;
        for (const line of lines)
          last = tx
            .insert(outputs)
            .values({ operationId, commandId, stream: line.stream, text: line.text, at: line.at })
            .returning({ id: outputs.id })
            .get().id;
        return last;
      });
    },
    outputCount: (commandId: number): number =>
      db
        .select({ count: sql<number>`count(*)` })
        .from(outputs)
        .where(eq(outputs.commandId, commandId))
        .get()?.count ?? 0,
    outputs: (operationId: string, after: number, limit: number): (OutputRow & { stepIndex: number })[] =>
      db
        .select()
        .from(outputs)
        .innerJoin(commands, eq(outputs.commandId, commands.id))
        .where(and(eq(outputs.operationId, operationId), gt(outputs.id, after)))
        .orderBy(asc(outputs.id))
        .limit(limit)
        .all()
        .map((row) => ({ ...row.outputs, stepIndex: row.commands.stepIndex })),

    /** Removes ended operations beyond the newest `keep` and those that ended before `endedBefore`. @returns how many */
    prune(keep: number, endedBefore: number): number {
      const newest = db
        .select({ id: operations.id })
        .from(operations)
        .orderBy(desc(operations.seq))
        .limit(keep);
      const beyond = db
        .delete(operations)
        .where(and(notInArray(operations.state, live), notInArray(operations.id, newest)))
        .run().changes;
      const old = db
        .delete(operations)
        .where(and(notInArray(operations.state, live), lt(operations.endedAt, endedBefore)))
        .run().changes;
      return beyond + old;
    },
  };
  return journal;
}
export type Journal = ReturnType<typeof createJournal>;
