/** A download that is about to be asked for: its plan follows what is chosen, an answer to an older choice is dropped. */
import { goto } from '$app/navigation';
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import { errorEntry } from '$lib/shared/error-codes';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { DownloadRequestInput } from '$lib/shared/wire/requests';

export class PlannedDownload {
  plan = $state<PlanPreview | null>(null);
  error = $state<PresentedError | null>(null);
  asking = $state(false);
  busy = $state(false);
  #turn = 0;

  async ask(request: DownloadRequestInput): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.plan = null;
    this.error = null;
    this.asking = true;
    try {
      const answer = await trpc().images.previewDownload.mutate(request);
      if (turn !== this.#turn) return;
      if (answer.ok) this.plan = answer.preview;
      else {
        const [first] = answer.issues;
        const fields = Object.fromEntries(
          answer.issues.flatMap(({ field, message }) => (field ? [[field, message]] : [])),
        );
        this.error = {
          code: first?.code ?? 'invalid_input',
          title: errorEntry(first?.code ?? 'invalid_input').title,
          message: answer.issues.map(({ message }) => message).join(' '),
          remedy: first?.remedy ?? null,
          ...{ fields, issues: answer.issues },
        };
      }
    } catch (thrown) {
      if (turn === this.#turn) this.error = presentError(thrown);
    } finally {
      if (turn === this.#turn) this.asking = false;
    }
  }

  forget(): void {
    this.#turn += 1;
    this.plan = null;
    this.error = null;
    this.asking = false;
  }

  /** @returns whether it was begun */
  async begin(request: DownloadRequestInput): Promise<boolean> {
    this.busy = true;
    try {
      await trpc().images.download.mutate(request);
      await goto('/images');
      return true;
    } catch (thrown) {
      this.error = presentError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
