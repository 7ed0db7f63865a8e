/** A replacement as its pages steer it. How far it is lies on the server; here is only what is being looked at. */
import type { Live } from '$lib/client/live.svelte';
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Pool } from '$lib/shared/wire/pools';
import type { GuideStep, Replacement, ReplaceWay } from '$lib/shared/wire/replacements';
import { issuesAsError } from '../pools/new-pool.svelte';

export const STEPS: Record<ReplaceWay, { id: 'choose' | GuideStep; title: string }[]> = {
  swap: [
    { id: 'choose', title: 'Which one' },
    { id: 'pull', title: 'Pull it' },
    { id: 'insert', title: 'New drive' },
    { id: 'plan', title: 'Plan' },
    { id: 'rebuild', title: 'Rebuild' },
    { id: 'done', title: 'Done' },
  ],
  beside: [
    { id: 'choose', title: 'Which one' },
    { id: 'insert', title: 'New drive' },
    { id: 'plan', title: 'Plan' },
    { id: 'rebuild', title: 'Rebuild' },
    { id: 'take-out', title: 'Pull it' },
    { id: 'done', title: 'Done' },
  ],
};

export class Guide {
  readonly #live: Live;
  readonly #guid: () => string;
  plan = $state.raw<PlanPreview | null>(null);
  #failed = $state.raw<{ error: PresentedError; step: string } | null>(null);
  typed = $state('');
  busy = $state(false);

  constructor(live: Live, guid: () => string) {
    this.#live = live;
    this.#guid = guid;
  }

  pool = $derived.by((): Pool | undefined => this.#live.pools.get(this.#guid()));
  state = $derived.by((): Replacement | undefined => this.#live.replacements.get(this.#guid()));
  old = $derived.by((): Drive | undefined => this.#live.drives.get(this.state?.driveId ?? ''));
  fresh = $derived.by((): Drive | undefined => this.#live.drives.get(this.state?.freshId ?? ''));
  operation = $derived.by((): Operation | undefined =>
    this.#live.operations.get(this.state?.operationId ?? ''),
  );
  step = $derived.by((): 'choose' | GuideStep => this.state?.step ?? 'choose');

  /** Of the step one is at: what was tried in an earlier one is nobody's concern any more. */
  error = $derived.by((): PresentedError | null =>
    this.#failed?.step === this.step ? this.#failed.error : null,
  );

  whyNoStart = $derived.by((): string | null => {
    if (!this.plan) return 'The plan is being made.';
    return this.plan.confirmText && this.typed.trim() !== this.plan.confirmText
      ? `Type ${this.plan.confirmText} in the field first.`
      : null;
  });

  async #do<T>(work: () => Promise<T>): Promise<T | null> {
    const { step } = this;
    this.busy = true;
    this.#failed = null;
    try {
      return await work();
    } catch (thrown) {
      this.#failed = { error: presentError(thrown), step };
      return null;
    } finally {
      this.busy = false;
    }
  }

  begin(slot: number): Promise<unknown> {
    return this.#do(() => trpc().replacements.begin.mutate({ guid: this.#guid(), slot }));
  }
  takeWay(way: ReplaceWay): Promise<unknown> {
    return this.#do(() => trpc().replacements.choose.mutate({ guid: this.#guid(), way }));
  }
  take(freshId: string | null): Promise<unknown> {
    this.plan = null;
    this.typed = '';
    return this.#do(() => trpc().replacements.choose.mutate({ guid: this.#guid(), freshId }));
  }
  end(): Promise<unknown> {
    return this.#do(() => trpc().replacements.end.mutate({ guid: this.#guid() }));
  }
  async makePlan(): Promise<void> {
    const { step } = this;
    this.plan = null;
    const answer = await this.#do(() => trpc().replacements.preview.mutate({ guid: this.#guid() }));
    if (answer?.ok) this.plan = answer.preview;
    else if (answer)
      this.#failed = { error: presentError({ data: { appError: issuesAsError(answer.issues) } }), step };
  }
  async rebuild(): Promise<void> {
    const confirmCode = this.plan?.confirmCode ?? null;
    const started = await this.#do(() =>
      trpc().replacements.rebuild.mutate({ guid: this.#guid(), confirmCode }),
    );
    if (started) return;
    const failed = this.#failed;
    if (failed?.error.code === 'confirm_stale' || failed?.error.code === 'drive_changed') {
      await this.makePlan();
      this.#failed = failed;
    }
  }
}
