/** The plan of what a dialog is about, and its start once it is confirmed. Browser only. */
import { presentError, presentIssues, type PresentedError } from '$lib/client/present-error';
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';

export interface PlanCalls {
  preview(): Promise<PlanPreview | PreviewResult>;
  start(confirmCode: string | null): Promise<Operation>;
}

export class ConfirmedPlan {
  plan = $state.raw<PlanPreview | null>(null);
  error = $state.raw<PresentedError | null>(null);
  busy = $state(false);
  typed = $state('');
  #calls: PlanCalls | null = null;

  why = $derived.by((): string | null => {
    if (!this.plan) return this.error ? 'It cannot be done as it is: see above.' : 'The plan is being made.';
    const { confirmText } = this.plan;
    return confirmText !== null && this.typed.trim() !== confirmText
      ? `Type ${confirmText} in the field first.`
      : null;
  });

  /** Of two that are asked for only the later counts. */
  async make(calls: PlanCalls): Promise<void> {
    this.#calls = calls;
    this.plan = null;
    this.error = null;
    // What was typed was meant for another plan.
    this.typed = '';
    try {
      const answer = await calls.preview();
      if (this.#calls !== calls) return;
      if (!('ok' in answer)) this.plan = answer;
      else if (answer.ok) this.plan = answer.preview;
      else this.error = presentIssues(answer.issues);
    } catch (thrown) {
      if (this.#calls === calls) this.error = presentError(thrown);
    }
  }

  /** @returns null after a failure; what has changed since is planned anew */
  async start(): Promise<Operation | null> {
    const calls = this.#calls;
    if (!calls || this.why !== null) return null;
    this.busy = true;
    try {
      return await calls.start(this.plan?.confirmCode ?? null);
    } catch (thrown) {
      const error = presentError(thrown);
      await this.make(calls);
      this.error ??= error;
      return null;
    } finally {
      this.busy = false;
    }
  }
}
