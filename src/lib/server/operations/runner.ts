/**
 * Runs one operation, forward and back.
 *
 * Forward, a step: commit `begun` → look (done: skip, running: wait, foreign: stop, nothing was touched; absent or
 * partial: act) → re-check the drives it destroys → commit `acting` → act → look must say done → commit `done`.
 * Back, in reverse from the last step that acted: commit `undoing` → look (absent: nothing to do, foreign: the user must
 * decide) → undo → look must say absent → commit `undone`. What is not on disk as `acting` has not happened, so it is
 * never undone: a drive that something else wrote to is left alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action, Look, LookResult } from '$lib/plugin-api/plan';
import type { StepState } from '$lib/shared/states';
import { AppError, toAppError } from '../errors';
import type { CrashPoint } from './crash-points';
import type { OperationRow, StepRow } from './journal';
import type { PerformContext } from './perform';
import { recheckDrive } from './preconditions';
import { isFinished, isReplaced, undoneByReboot } from './reboot';
import type { Progress } from './view';
import { lookWhileRunning, performOrTell, whileFollowed } from './waiting';

export interface RunnerContext extends PerformContext {
  look: (look: Look) => Promise<LookResult>;
  /** After every commit, so that the feed shows it. */
  changed: (operationId: string) => void;
  /** How often a `running` look is repeated, kernel work or an orphan that is at it: first, and in the long run. */
  waitStepMs: number;
  waitMostMs: number;
  /** By operation: how far the step is that takes long. */
  progress: Map<string, Progress>;
  /** How often a way back, or a removal that cannot go back, is tried before the user is asked. */
  attempts: number;
}

/** Ended well; failed with the reason; or met something that only the user can decide. */
export type Outcome =
  { result: 'ok' } | { result: 'error'; error: AppError } | { result: 'needs-you'; reason: string };

const ACTED: readonly StepState[] = ['acting', 'done', 'failed', 'undoing'];
export const hasActed = (step: StepRow): boolean => ACTED.includes(step.state);

function setStep(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
  state: StepState,
  error?: string | null,
): void {
  const now = context.clock.now();
  const ended =
    state === 'done' || state === 'skipped' || state === 'undone' || state === 'kept' || state === 'failed';
  context.journal.step(operation.id, step.index, state, {
    ...(state === 'begun' ? { beganAt: now } : {}),
    ...(ended ? { endedAt: now } : {}),
    ...(isFinished({ state }) ? { bootId: context.host.bootId() } : {}),
    ...(error === undefined ? {} : { error }),
  });
  step.state = state;
  context.changed(operation.id);
}

const pause = (
  context: RunnerContext,
  point: CrashPoint,
  operation: OperationRow,
  step: StepRow,
  signal?: AbortSignal,
): Promise<void> => context.crash.pause(point, { kind: operation.kind, step: step.name }, signal);

async function recheckBeforeDestroying(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
  step: StepRow,
  since: number,
): Promise<void> {
  const recheck = async (driveId: string): Promise<void> => {
    const expected = operation.prepared.drives.find((drive) => drive.id === driveId);
    if (!expected)
      throw new AppError('bug', `Step ${step.name} destroys ${driveId}, which the plan does not list.`);
    const touched = rows.some(
      (row) => row.index <= step.index && hasActed(row) && row.destroys.includes(driveId),
    );
    await recheckDrive(context.host, expected, !touched, since);
  };
  // All have answered before one refusal counts: a drive that is still being read cannot be worked on.
  for (const result of await Promise.allSettled(step.destroys.map(recheck)))
    if (result.status === 'rejected') throw result.reason;
}

/** @returns whether the step acted; false when its look found it done already */
async function forwardStep(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
  step: StepRow,
  signal: AbortSignal,
): Promise<boolean> {
  const actedBefore = hasActed(step);
  if (!actedBefore) setStep(context, operation, step, 'begun');
  await pause(context, 'begun', operation, step, signal);
  signal.throwIfAborted();
  const before = await lookWhileRunning(context, operation, step, signal);
  if (before.status === 'done') {
    setStep(context, operation, step, actedBefore ? 'done' : 'skipped');
    return false;
  }
  if (before.status === 'foreign') {
    if (!actedBefore) setStep(context, operation, step, 'pending', before.evidence);
    throw new AppError(
      'foreign_state',
      `"${step.title}" stopped before touching anything: ${before.evidence}`,
      {
        details: { step: step.name },
        remedy: 'Look at what is there now, then retry.',
      },
    );
  }
  await recheckBeforeDestroying(context, operation, rows, step, before.askedAt);
  setStep(context, operation, step, 'acting');
  await pause(context, 'acting', operation, step, signal);
  try {
    await whileFollowed(context, operation, step, () =>
      performOrTell(context, { operation, step, phase: 'run', signal }, step.run),
    );
    await pause(context, 'acted', operation, step, signal);
    const after = await lookWhileRunning(context, operation, step, signal);
    if (after.status !== 'done' && !(after.status === 'absent' && step.look.fleeting))
      throw new AppError('postcondition', `"${step.title}" ended without its effect: ${after.evidence}`, {
        details: { step: step.name },
      });
  } catch (error) {
    setStep(context, operation, step, 'failed', toAppError(error).message);
    throw error;
  }
  setStep(context, operation, step, 'done');
  await pause(context, 'done', operation, step, signal);
  return true;
}

/** A step that was done in an earlier boot, and that a reboot undid: as if it had not been done yet, and recorded as evidence. */
async function repeatStep(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
  step: StepRow,
  signal: AbortSignal,
): Promise<void> {
  if (await isReplaced(context.look, step)) return;
  if (!(await forwardStep(context, operation, rows, step, signal))) return;
  context.journal.addEvidence(
    operation.id,
    `The machine was started anew: "${step.title}" was done once more.`,
  );
}

/** Runs every step that is not finished yet, in order. */
export async function forward(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
  signal: AbortSignal,
): Promise<Outcome> {
  const again = undoneByReboot(rows, context.host.bootId());
  for (const step of rows) {
    if (step.state === 'kept' || (isFinished(step) && !again.has(step.index))) continue;
    const run = isFinished(step) ? repeatStep : forwardStep;
    try {
      signal.throwIfAborted();
      await run(context, operation, rows, step, signal);
      // After the last step too: who cancelled before the end was told that it will be taken back. A deadline that passes
      // when all is done already changes nothing.
      if (signal.aborted && toAppError(signal.reason).code === 'cancelled') signal.throwIfAborted();
    } catch (error) {
      // An aborted operation ends for the reason of the abort, not for what the abort broke on its way.
      const reason: unknown = signal.aborted ? signal.reason : error;
      return { result: 'error', error: toAppError(reason) };
    }
  }
  return { result: 'ok' };
}

async function undoActions(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
  actions: Action[],
): Promise<void> {
  // The way back is never cancelled: it is the cancellation.
  const signal = new AbortController().signal;
  for (const action of actions) {
    try {
      await performOrTell(context, { operation, step, phase: 'undo', signal }, action);
    } catch (error) {
      // Recorded, and the look decides: a tool that says "nothing to remove" has failed and is right.
      context.journal.addEvidence(operation.id, `Taking back "${step.title}": ${toAppError(error).message}`);
    }
  }
}

/**
 * Something that only looks (a probe, a virus scanner, a shell that stands in the folder) can hold a thing for a moment:
 * so the way back is tried several times, with longer and longer pauses, before the user is asked.
 */
async function undoUntilGone(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
  actions: Action[],
): Promise<LookResult> {
  for (let attempt = 1; ; attempt += 1) {
    await undoActions(context, operation, step, actions);
    await pause(context, 'undo-acted', operation, step);
    const after = await lookWhileRunning(context, operation, step, new AbortController().signal);
    if (after.status === 'absent' || after.status === 'foreign' || attempt === context.attempts) return after;
    await sleep(context.waitStepMs * 2 ** attempt);
  }
}

/** @returns the reason why the user must decide, or null when the step is taken back */
async function backStep(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
): Promise<string | null> {
  if (step.undo === 'nothing' || step.undo === 'impossible') {
    setStep(context, operation, step, 'kept');
    return null;
  }
  setStep(context, operation, step, 'undoing');
  await pause(context, 'undoing', operation, step);
  const never = new AbortController().signal;
  try {
    const before = await lookWhileRunning(context, operation, step, never);
    if (before.status === 'foreign') return `"${step.title}" cannot be taken back safely: ${before.evidence}`;
    if (before.status !== 'absent') {
      const after = await undoUntilGone(context, operation, step, step.undo);
      if (after.status !== 'absent') return `Taking back "${step.title}" did not work: ${after.evidence}`;
    }
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'drive_gone') return `Taking back "${step.title}" failed: ${error.message}`;
    // What a drive that left holds cannot be cleaned here; keeping the pool record for it would lock its other drives.
    context.journal.addEvidence(
      operation.id,
      `${error.message} What "${step.title}" did on it is still there.`,
    );
    setStep(context, operation, step, 'kept', error.message);
    return null;
  }
  setStep(context, operation, step, 'undone');
  await pause(context, 'undone', operation, step);
  return null;
}

/**
 * Before the way back: what a reboot undid (a mount, an assembled array) is made again, for the steps below it cannot be taken
 * back without it. Only below the last step that has something to take back; what fails is evidence, and the looks decide.
 */
async function restoreForUndo(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
): Promise<void> {
  const last = rows.findLast((step) => hasActed(step) && Array.isArray(step.undo))?.index ?? -1;
  const again = undoneByReboot(rows, context.host.bootId());
  for (const step of rows.slice(0, Math.max(0, last)))
    if (again.has(step.index))
      try {
        await repeatStep(context, operation, rows, step, new AbortController().signal);
      } catch (error) {
        const seen = `"${step.title}" could not be done once more: ${toAppError(error).message}`;
        context.journal.addEvidence(operation.id, seen);
      }
}

/** Takes back every step that acted, last first, and stops at the first that stays: what lies below may hold it up. */
export async function back(
  context: RunnerContext,
  operation: OperationRow,
  rows: StepRow[],
): Promise<Outcome> {
  await restoreForUndo(context, operation, rows);
  for (const step of rows.toReversed()) {
    if (step.state === 'begun') setStep(context, operation, step, 'pending');
    if (!hasActed(step)) continue;
    const reason = await backStep(context, operation, step);
    if (reason !== null) return { result: 'needs-you', reason };
  }
  return { result: 'ok' };
}
