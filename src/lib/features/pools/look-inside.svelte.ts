/** Looking inside a found pool from a dialog: begun, followed to its end by the feed, never asked about again. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { Live } from '$lib/client/live.svelte';
import type { FoundPool } from '$lib/shared/wire/found';
import { isLive, type OperationState } from '$lib/shared/states';

export class LookInside {
  readonly #live: Live;
  readonly #id: string;
  #operationId = $state<string | null>(null);
  #refused = $state<PresentedError | null>(null);

  constructor(live: Live, id: string) {
    this.#live = live;
    this.#id = id;
  }
  get found(): FoundPool | null {
    return this.#live.found.get(this.#id) ?? null;
  }
  /** What is on another machine is not looked into: that machine may keep whoever asks. */
  get elsewhere(): boolean {
    return this.found !== null && this.found.members.length + this.found.missing.length === 0;
  }
  get #state(): OperationState | null {
    return this.#operationId ? (this.#live.operations.get(this.#operationId)?.state ?? 'running') : null;
  }
  get busy(): boolean {
    return this.#state !== null && isLive(this.#state);
  }
  /** Seen, and not being looked at again. */
  get seen(): boolean {
    return !this.busy && (this.elsewhere || this.found?.inside != null);
  }
  get error(): { title: string; message: string } | null {
    if (this.#refused) return this.#refused;
    const operation = this.#operationId ? this.#live.operations.get(this.#operationId) : undefined;
    return operation?.error && !isLive(operation.state)
      ? { title: 'Looking inside did not work', message: operation.error.message }
      : null;
  }
  async start(): Promise<void> {
    this.#refused = null;
    try {
      this.#operationId = (await trpc().found.peek.mutate({ found: this.#id })).id;
    } catch (thrown) {
      this.#refused = presentError(thrown);
    }
  }
}
