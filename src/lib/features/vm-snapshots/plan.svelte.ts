/** The plan of what is to be done with a snapshot, and its start. Browser only. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { VmSnapshotRequest } from '$lib/shared/wire/vm-snapshots';
import { issuesAsError } from '../pools/new-pool.svelte';

export class SnapshotPlan {
  plan = $state.raw<PlanPreview | null>(null);
  error = $state.raw<PresentedError | null>(null);
  busy = $state(false);
  typed = $state('');
  #request: VmSnapshotRequest | null = null;

  why = $derived.by((): string | null => {
    if (!this.plan) return this.error ? 'It cannot be done as it is.' : 'The plan is being made.';
    const { confirmText } = this.plan;
    return confirmText !== null && this.typed.trim() !== confirmText
      ? `Type ${confirmText} in the field first.`
      : null;
  });

  /** Of two that are asked for only the later counts. */
  async make(request: VmSnapshotRequest): Promise<void> {
    this.#request = request;
    this.plan = null;
    this.error = null;
    try {
      const answer = await trpc().vmSnapshots.preview.mutate({ request });
      if (this.#request !== request) return;
      if (answer.ok) this.plan = answer.preview;
      else this.error = presentError({ data: { appError: issuesAsError(answer.issues) } });
    } catch (thrown) {
      if (this.#request === request) this.error = presentError(thrown);
    }
  }

  /** @returns null after a failure; what has changed since is planned anew */
  async start(): Promise<Operation | null> {
    const request = this.#request;
    if (!request || this.why !== null) return null;
    this.busy = true;
    try {
      const { confirmCode } = this.plan ?? { confirmCode: null };
      return await trpc().vmSnapshots.start.mutate({ request, confirmCode });
    } catch (thrown) {
      const error = presentError(thrown);
      await this.make(request);
      this.error ??= error;
      return null;
    } finally {
      this.busy = false;
    }
  }
}
