/**
 * Waiting for what takes long: work of the kernel that a step's look sees, or a program that is followed while it runs.
 * Looked at often in the beginning and then every few seconds, for days if need be.
 */
import type { Action, LookResult } from '$lib/plugin-api/plan';
import { toAppError } from '../errors';
import type { OperationRow, StepRow } from './journal';
import { perform } from './perform';
import type { RunnerContext } from './runner';

const SLOWER = 1.5;

/** Ends early when the signal is aborted; never throws. */
export function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end);
  });
}

function show(context: RunnerContext, operation: OperationRow, step: StepRow, seen: LookResult): void {
  if (context.progress.get(operation.id)?.stuck) return;
  context.progress.set(operation.id, {
    step: step.index,
    text: seen.evidence,
    percent: seen.percent ?? null,
  });
  context.changed(operation.id);
}

/**
 * A program was to be ended and lives on: its drive does not answer, and the kernel lets nobody end it. The operation stays
 * open, with its locks and nobody else's, until the program has ended or the machine was started again.
 */
export function showStuck(
  context: Pick<RunnerContext, 'progress' | 'changed' | 'journal'>,
  operation: OperationRow,
  step: number,
  program: string,
): void {
  const text = `Waits for the kernel: ${program} was told to end and cannot, because a drive does not answer. It goes on when the drive answers, or after a restart of the machine.`;
  context.journal.addEvidence(operation.id, text);
  context.progress.set(operation.id, { step, text, percent: null, stuck: true });
  context.changed(operation.id);
}
/** The program has ended after all. */
export function hideStuck(context: RunnerContext, operation: OperationRow): void {
  if (context.progress.get(operation.id)?.stuck) hide(context, operation);
}

/** A program that can neither go on nor be ended is shown as long as it lasts. */
export async function performOrTell(
  context: RunnerContext,
  act: { operation: OperationRow; step: StepRow; phase: 'run' | 'undo'; signal: AbortSignal },
  action: Action,
): Promise<void> {
  const { operation, step } = act;
  const onStuck = (program: string): void => showStuck(context, operation, step.index, program);
  try {
    await perform(context, { ...act, onStuck }, action);
  } finally {
    hideStuck(context, operation);
  }
}

function hide(context: RunnerContext, operation: OperationRow): void {
  if (context.progress.delete(operation.id)) context.changed(operation.id);
}

/**
 * Looks until the look says something else than `running`. Once it was running, a tool that fails is asked again a few
 * times: a rebuild of days does not end because of one bad moment. A tool that did not answer in time always is.
 * @throws what the look throws; the signal's reason once it is aborted and the work still goes on
 */
export async function lookWhileRunning(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
  signal: AbortSignal,
): Promise<LookResult & { askedAt: number }> {
  let pauseMs = context.waitStepMs;
  let waited = false;
  let failures = 0;
  try {
    for (;;) {
      const askedAt = performance.now();
      const result = await context.look(step.look).catch((error: unknown) => {
        failures += 1;
        // A program that did not end in time has said nothing, about a busy machine least of all.
        const mayBeBetter = waited || toAppError(error).code === 'command_timeout';
        if (!mayBeBetter || failures >= context.attempts || signal.aborted) throw error;
        return null;
      });
      if (result && result.status !== 'running') return { ...result, askedAt };
      if (result) {
        failures = 0;
        show(context, operation, step, result);
      }
      signal.throwIfAborted();
      waited ||= result !== null;
      // After an abort it is looked at once more: what has just ended is not given up.
      await pauseFor(pauseMs, signal);
      pauseMs = Math.min(context.waitMostMs, pauseMs * SLOWER);
    }
  } finally {
    hide(context, operation);
  }
}

const takesLong = ({ run }: StepRow): boolean =>
  run.do === 'download' ||
  run.do === 'copy-in' ||
  run.do === 'be-alone' ||
  run.do === 'receive' ||
  (run.do === 'exec' && run.follow === true);

/** Tells how far a program is that takes long, while `work` runs it. Other programs are left alone by looks. */
export async function whileFollowed(
  context: RunnerContext,
  operation: OperationRow,
  step: StepRow,
  work: () => Promise<void>,
): Promise<void> {
  if (!takesLong(step)) return work();
  const ended = new AbortController();
  const follow = async (): Promise<void> => {
    for (let pauseMs = context.waitStepMs; ; pauseMs = Math.min(context.waitMostMs, pauseMs * SLOWER)) {
      await pauseFor(pauseMs, ended.signal);
      if (ended.signal.aborted) return;
      const seen = await context.look(step.look).catch((error: unknown): LookResult => ({
        status: 'running',
        evidence: `It cannot be seen how far it is: ${toAppError(error).message}`,
      }));
      if ((seen.status === 'running' || step.run.do !== 'exec') && !ended.signal.aborted)
        show(context, operation, step, seen);
    }
  };
  const following = follow();
  try {
    await work();
  } finally {
    ended.abort();
    await following;
    hide(context, operation);
  }
}
