/** Journal rows as the documents that clients see. */
import { isLive, type StepState } from '$lib/shared/states';
import type { Operation, OperationStep } from '$lib/shared/wire/operations';
import type { OperationRow, StepRow } from './journal';

const FINISHED: readonly StepState[] = ['done', 'skipped', 'undone', 'kept'];

/** How far a step is that takes long, as its look said last; of this process only, never journaled. */
export interface Progress {
  step: number;
  text: string;
  percent: number | null;
  /** Told on the way back too: its program can neither go on nor be ended, or its drives are not there yet. */
  stuck?: true;
}

/** What was waited for may have come to its end before it was looked at: then the step is skipped. */
const FINISHED_AHEAD: readonly StepState[] = ['done', 'skipped'];
const hasBegun = (step: StepRow): boolean => ['acting', 'done', 'failed'].includes(step.state);

/** It stops where it is when it is cancelled, and nothing has to be undone; once it has its effect there is no way back. */
export const stopsByItself = (step: StepRow): boolean => Array.isArray(step.undo) && step.undo.length === 0;

/**
 * True once there is no way but onward. What removes things is past it with the first thing that is gone. What goes on
 * (a rebuild) is past it once a change of the pool was made that has no way back; an erased newcomer is no such change,
 * and neither is work of the kernel that is only being waited for.
 */
export function pastNoReturn(onInterrupt: OperationRow['onInterrupt'], rows: StepRow[]): boolean {
  const final = rows.filter((step) => step.undo === 'impossible');
  if (onInterrupt === 'take-back') return false;
  if (onInterrupt === 'finish') return final.some(hasBegun);
  if (rows.some((step) => stopsByItself(step) && step.state === 'done')) return true;
  return final
    .filter((step) => step.destroys.length === 0)
    .some((step) => (step.run.do === 'wait' ? FINISHED_AHEAD.includes(step.state) : hasBegun(step)));
}

/** Waiting for the kernel takes hours where the others take a moment: it is most of the bar. */
const weightOf = (step: StepRow): number =>
  step.run.do === 'wait' || (step.run.do === 'exec' && step.run.follow) ? 20 : 1;
const weigh = (rows: StepRow[]): number => rows.reduce((total, step) => total + weightOf(step), 0);

function percentOf(row: OperationRow, rows: StepRow[], progress: Progress | null): number {
  if (row.state === 'succeeded') return 100;
  if (rows.length === 0) return 0;
  const finished = weigh(rows.filter((step) => FINISHED.includes(step.state)));
  // On the way back, the steps that were never reached count as taken back already.
  const untouched = row.state === 'running' ? 0 : weigh(rows.filter((step) => step.state === 'pending'));
  const current = row.state === 'running' ? rows.find((step) => step.index === progress?.step) : undefined;
  const part = current ? (weightOf(current) * (progress?.percent ?? 0)) / 100 : 0;
  return Math.min(99, Math.floor(((finished + untouched + part) * 100) / weigh(rows)));
}

/** On the way back only what cannot be ended: how far a step was means nothing there. */
function progressOf(row: OperationRow, progress: Progress | null): Operation['progress'] {
  if (!progress || !isLive(row.state) || (row.state !== 'running' && !progress.stuck)) return null;
  const { step, text, percent } = progress;
  return { step, text, percent };
}

const stepView = (step: StepRow): OperationStep => ({
  index: step.index,
  name: step.name,
  title: step.title,
  state: step.state,
  command: step.command,
  undo: step.undoText,
  beganAt: step.beganAt,
  endedAt: step.endedAt,
  error: step.error,
});

export function operationView(
  row: OperationRow,
  rows: StepRow[],
  progress: Progress | null = null,
): Operation {
  const cancellable = row.state === 'running' && row.cancelRequestedAt === null;
  return {
    id: row.id,
    seq: row.seq,
    kind: row.kind,
    title: row.title,
    subject: { type: row.subjectType, id: row.subjectId, label: row.subjectLabel },
    state: row.state,
    verdict: row.verdict,
    evidence: row.evidence,
    percent: percentOf(row, rows, progress),
    progress: progressOf(row, progress),
    steps: rows.map(stepView),
    createdAt: row.createdAt,
    endedAt: row.endedAt,
    deadlineAt: row.deadlineAt,
    requestedBy: row.requestedBy,
    error: row.error,
    cancelRequested: row.cancelRequestedAt !== null,
    canCancel: cancellable && !pastNoReturn(row.onInterrupt, rows),
    canRetry: !isLive(row.state) && row.state !== 'succeeded',
    retryOf: row.retryOf,
  };
}
