/** Journal rows as the documents that clients see. */
import { isLive, type StepState } from '$lib/shared/states';
import type { Operation, OperationStep } from '$lib/shared/wire/operations';
import type { OperationRow, StepRow } from './journal';

const FINISHED: readonly StepState[] = ['done', 'skipped', 'undone', 'kept'];

/** True once something was destroyed that an operation which removes things cannot bring back. */
export const pastNoReturn = (rows: StepRow[]): boolean =>
  rows.some((step) => step.undo === 'impossible' && ['acting', 'done', 'failed'].includes(step.state));

function percentOf(row: OperationRow, rows: StepRow[]): number {
  if (row.state === 'succeeded') return 100;
  if (rows.length === 0) return 0;
  const finished = rows.filter((step) => FINISHED.includes(step.state)).length;
  // On the way back, the steps that were never reached count as taken back already.
  const untouched = row.state === 'running' ? 0 : rows.filter((step) => step.state === 'pending').length;
  return Math.min(99, Math.floor(((finished + untouched) * 100) / rows.length));
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

export function operationView(row: OperationRow, rows: StepRow[]): Operation {
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
    percent: percentOf(row, rows),
    steps: rows.map(stepView),
    createdAt: row.createdAt,
    endedAt: row.endedAt,
    deadlineAt: row.deadlineAt,
    requestedBy: row.requestedBy,
    error: row.error,
    cancelRequested: row.cancelRequestedAt !== null,
    canCancel: cancellable && !(row.onInterrupt === 'finish' && pastNoReturn(rows)),
    canRetry: !isLive(row.state) && row.state !== 'succeeded',
    retryOf: row.retryOf,
  };
}
