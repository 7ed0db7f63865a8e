/**
 * What the runner, recovery and the sweeper share: the operations that live in this process, and the ways an operation ends.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireError } from '$lib/shared/wire/operations';
import { AppError } from '../errors';
import type { Logger } from '../log';
import type { Feed } from '../events/feed';
import type { OperationRow, StepRow } from './journal';
import { back, forward, hasActed, type Outcome, type RunnerContext } from './runner';
import { operationView, pastNoReturn, stopsByItself } from './view';
import type { OperationDefinition } from './types';

export interface Engine extends RunnerContext {
  feed: Feed;
  log: Logger;
  definitions: Map<string, OperationDefinition>;
  workers: Map<string, Worker>;
  leaseMs: number;
  /** How long the machine has been running, milliseconds. */
  sinceBootMs: () => number;
  /** The database is no longer ours: nothing is written or told any more. */
  closed: boolean;
}
/** One operation that this process works on. */
export interface Worker {
  abort: AbortController;
  finished: Promise<void>;
}

export const wireError = (error: AppError): WireError => ({
  code: error.code,
  message: error.message,
  remedy: error.remedy ?? null,
});

export function definitionOf(engine: Engine, kind: string): OperationDefinition {
  const definition = engine.definitions.get(kind);
  if (!definition) throw new AppError('bug', `No operation of kind ${kind} is defined.`);
  return definition;
}

/** Puts the present rows of an operation into the feed. */
export function publish(engine: Engine, id: string): void {
  const row = engine.journal.operation(id);
  if (!row) return engine.feed.remove('operations', id);
  engine.feed.put(
    'operations',
    id,
    operationView(row, engine.journal.steps(id), engine.progress.get(id) ?? null),
  );
  engine.bus.emit('operation.changed', { id });
}

function reload(engine: Engine, id: string): OperationRow {
  const row = engine.journal.operation(id);
  if (!row) throw new AppError('operation_not_found', `There is no operation ${id}.`);
  return row;
}

async function readAgain(
  engine: Engine,
  row: OperationRow,
  outcome: 'succeeded' | 'taken-back',
): Promise<void> {
  try {
    await definitionOf(engine, row.kind).beforeEnd?.(row.prepared, outcome);
  } catch (error) {
    engine.log.warn({ error, operationId: row.id }, 'what it changed could not be read again');
  }
}

async function endWell(engine: Engine, row: OperationRow): Promise<void> {
  await readAgain(engine, row, 'succeeded');
  await engine.crash.pause('ending', { kind: row.kind });
  engine.journal.transaction((tx) => {
    definitionOf(engine, row.kind).record.succeed(tx, row.id, row.prepared);
    engine.journal.end(tx, row.id, 'succeeded', engine.clock.now(), null);
  });
}

async function endTakenBack(engine: Engine, row: OperationRow, error: AppError): Promise<void> {
  await readAgain(engine, row, 'taken-back');
  await engine.crash.pause('ending', { kind: row.kind });
  const state = error.code === 'cancelled' ? 'cancelled' : 'failed';
  engine.journal.transaction((tx) => {
    definitionOf(engine, row.kind).record.takenBack(tx, row.id, row.prepared, error);
    engine.journal.end(tx, row.id, state, engine.clock.now(), wireError(error));
  });
}

/** The locks stay: nothing else may touch these things until somebody has decided. */
function stopForUser(engine: Engine, row: OperationRow, reason: string, error: AppError | null): void {
  engine.journal.transaction((tx) => {
    definitionOf(engine, row.kind).record.needsYou(tx, row.id, row.prepared, reason);
    engine.journal.update(tx, row.id, {
      state: 'needs-attention',
      ...(error ? { error: wireError(error) } : {}),
    });
    engine.journal.verdict(tx, row.id, 'needs-you', [reason]);
  });
}

/**
 * The kernel has finished what could only be waited for, or a step that just stops when it is cancelled had its effect: there
 * is nothing to go back to. Asked before the way back, and again when it came to nothing: the kernel does not wait for us.
 */
async function finishedMeanwhile(engine: Engine, row: OperationRow, error: AppError): Promise<boolean> {
  if (row.onInterrupt !== 'continue' || error.code !== 'cancelled') return false;
  const rows = engine.journal.steps(row.id);
  for (const [index, step] of rows.entries()) {
    const awaited = step.run.do === 'wait' && step.undo === 'impossible';
    const reached = hasActed(step) || (awaited && index > 0 && rows[index - 1]?.state === 'done');
    const undoing = awaited && rows[index - 1]?.state === 'undoing';
    if (!(awaited || stopsByItself(step)) || !(reached || undoing)) continue;
    if ((await engine.look(step.look)).status !== 'done') continue;
    engine.journal.step(row.id, step.index, 'done', { endedAt: engine.clock.now(), error: null });
    return true;
  }
  return false;
}

async function goOnAfterAll(engine: Engine, id: string): Promise<void> {
  engine.journal.addEvidence(id, 'It was cancelled too late: there was no way back any more, so it went on.');
  engine.journal.transaction((tx) => engine.journal.update(tx, id, { state: 'running', error: null }));
  publish(engine, id);
  await runForward(engine, id, new AbortController().signal);
}

/**
 * It leads to another start of Cairn, and that has happened: this process is what it wanted. Whoever runs now has perhaps changed the
 * database already, so that nobody else could go on with it: it ends here, also when it was to be taken back.
 */
export async function hasArrived(engine: Engine, rows: StepRow[]): Promise<boolean> {
  const last = rows.at(-1);
  return last?.run.do === 'start-anew' && (await engine.look(last.look)).status === 'done';
}
/** What a step was about to write has been read by whoever started this process: it is not written again. */
export async function endArrived(engine: Engine, id: string): Promise<void> {
  const now = engine.clock.now();
  engine.journal.transaction((tx) => engine.journal.update(tx, id, { state: 'running', error: null }));
  for (const { index, state } of engine.journal.steps(id))
    if (state !== 'done' && state !== 'skipped')
      engine.journal.step(id, index, 'done', { endedAt: now, error: null });
  publish(engine, id);
  await runForward(engine, id, new AbortController().signal);
}

/** Takes the operation back because of `error`, and ends it. */
export async function takeBack(engine: Engine, id: string, error: AppError): Promise<void> {
  if (await finishedMeanwhile(engine, reload(engine, id), error)) return goOnAfterAll(engine, id);
  engine.journal.transaction((tx) =>
    engine.journal.update(tx, id, { state: 'undoing', error: wireError(error) }),
  );
  publish(engine, id);
  const row = reload(engine, id);
  const outcome = await back(engine, row, engine.journal.steps(id));
  if (outcome.result === 'needs-you' && (await finishedMeanwhile(engine, row, error)))
    return goOnAfterAll(engine, id);
  if (outcome.result === 'needs-you') return stopForUser(engine, row, outcome.reason, error);
  await endTakenBack(engine, row, error);
}

async function afterForward(engine: Engine, id: string, outcome: Outcome): Promise<void> {
  const row = reload(engine, id);
  if (outcome.result === 'ok') return endWell(engine, row);
  if (outcome.result === 'needs-you') return stopForUser(engine, row, outcome.reason, null);
  // Something is gone for good, or the pool was changed for good: there is no way back, only onward.
  if (pastNoReturn(row.onInterrupt, engine.journal.steps(id)))
    return stopForUser(
      engine,
      row,
      `It cannot go on: ${outcome.error.message} What was done before cannot be taken back.`,
      outcome.error,
    );
  await takeBack(engine, id, outcome.error);
}

/** A change that is past the point of no return and was not cancelled has no way but onward. */
const mustGoOn = (engine: Engine, row: OperationRow, outcome: Outcome): boolean =>
  outcome.result === 'error' &&
  outcome.error.code !== 'cancelled' &&
  outcome.error.code !== 'foreign_state' &&
  pastNoReturn(row.onInterrupt, engine.journal.steps(row.id));

/** The work ended in the very moment in which it was cancelled. */
const isTooLate = (engine: Engine, row: OperationRow, outcome: Outcome): boolean =>
  outcome.result === 'error' &&
  outcome.error.code === 'cancelled' &&
  row.onInterrupt === 'continue' &&
  pastNoReturn(row.onInterrupt, engine.journal.steps(row.id));

/** Forward to an end, or to the user. */
export async function runForward(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const row = reload(engine, id);
  let outcome = await forward(engine, row, engine.journal.steps(id), signal);
  for (
    let attempt = 1;
    attempt < engine.attempts && !signal.aborted && mustGoOn(engine, row, outcome);
    attempt += 1
  ) {
    await sleep(engine.waitStepMs * 2 ** attempt);
    outcome = await forward(engine, row, engine.journal.steps(id), signal);
  }
  if (isTooLate(engine, row, outcome)) {
    engine.journal.addEvidence(
      id,
      'It was cancelled too late: there was no way back any more, so it went on.',
    );
    outcome = await forward(engine, row, engine.journal.steps(id), new AbortController().signal);
  }
  await afterForward(engine, id, outcome);
}

/** A bug, or a database that cannot be written (full disk): then the row stays live, its lease runs out, the sweeper recovers it. */
function reportBug(engine: Engine, row: OperationRow, error: unknown): void {
  // The process is stopping and the database is closed: the next start gives this operation its verdict.
  if (engine.closed) return;
  engine.log.error({ error, operationId: row.id }, 'the operation engine failed');
  const reason = `Something went wrong inside Cairn: ${error instanceof Error ? error.message : String(error)}`;
  try {
    stopForUser(engine, row, reason, null);
  } catch (second) {
    engine.log.error({ error: second, operationId: row.id }, 'the failure could not be journaled');
  }
}

function tellEnd(engine: Engine, row: OperationRow): void {
  if (engine.closed) return;
  try {
    publish(engine, row.id);
    engine.bus.emit('operation.ended', { id: row.id });
  } catch (error) {
    engine.log.error({ error, operationId: row.id }, 'the end of an operation could not be told');
  }
  engine.crash.at('ended', { kind: row.kind });
}

/**
 * Owns an operation in this process until `work` ends: lease, deadline and cancellation hang on it.
 * A bug in `work` never ends the process: the operation is shown as needing the user, its locks stay.
 */
export function own(engine: Engine, id: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const row = reload(engine, id);
  const deadlineMs = Math.max(1_000, row.deadlineAt - row.createdAt);
  const timer = setTimeout(() => {
    abort.abort(
      new AppError('deadline_passed', `It did not end within ${Math.round(deadlineMs / 1_000)} seconds.`),
    );
  }, deadlineMs);
  timer.unref();
  const finished = (async () => {
    try {
      await work(abort.signal);
    } catch (error) {
      reportBug(engine, row, error);
    }
    clearTimeout(timer);
    engine.workers.delete(id);
    engine.progress.delete(id);
    tellEnd(engine, row);
  })();
  engine.workers.set(id, { abort, finished });
  return finished;
}
