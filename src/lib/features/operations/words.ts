/** Texts about operations that more than one place shows. */
import type { OperationState, StepState, Verdict } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import type { Tone } from '$lib/ui/tone';

export const stateWord: Record<OperationState, string> = {
  running: 'Running',
  undoing: 'Taking back',
  'needs-attention': 'Needs you',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};
export const stateTone: Record<OperationState, Tone> = {
  running: 'accent',
  undoing: 'warn',
  'needs-attention': 'bad',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'quiet',
};
export const stepWord: Record<StepState, string> = {
  pending: 'Waiting',
  begun: 'Running',
  acting: 'Running',
  done: 'Done',
  skipped: 'Was done already',
  failed: 'Failed',
  undoing: 'Taking back',
  undone: 'Taken back',
  kept: 'Stays as it is',
};
export const VERDICTS: Record<Verdict, { title: string; text: string; tone: Tone }> = {
  'finished-anyway': {
    title: 'Finished anyway',
    text: 'Cairn was interrupted, but the last command had done its work. The operation was brought to its end.',
    tone: 'good',
  },
  continued: {
    title: 'Continued',
    text: 'Cairn was interrupted and went on from the step where it had stopped.',
    tone: 'good',
  },
  'taken-back': {
    title: 'Taken back',
    text: 'Cairn was interrupted and everything it had done was undone. The machine is as it was before.',
    tone: 'accent',
  },
  'needs-you': {
    title: 'Needs you',
    text: 'Cairn was interrupted and found something that only you can decide. Nothing more is done until then.',
    tone: 'warn',
  },
};

export const isBusy = (operation: Operation): boolean =>
  operation.state === 'running' || operation.state === 'undoing';

/** Taken back after a crash is no failure of what was asked: the badge says what became of it. */
export const endWord = (operation: Pick<Operation, 'state' | 'verdict'>): { word: string; tone: Tone } =>
  operation.state === 'failed' && operation.verdict === 'taken-back'
    ? { word: 'Taken back', tone: 'accent' }
    : { word: stateWord[operation.state], tone: stateTone[operation.state] };

/** What happens right now, in a few words. */
export function currentStep(operation: Operation): string {
  const step = operation.steps.find((one) => ['begun', 'acting', 'undoing'].includes(one.state));
  if (operation.state === 'needs-attention') return operation.error?.message ?? 'Something has to be decided';
  const seen = operation.progress ? `: ${operation.progress.text}` : '';
  if (step) return step.state === 'undoing' ? `Taking back: ${step.title}` : `${step.title}${seen}`;
  return stateWord[operation.state];
}

/** How long it took, or has taken so far. */
export const tookMs = (operation: Operation, now: number): number =>
  (operation.endedAt ?? now) - operation.createdAt;
