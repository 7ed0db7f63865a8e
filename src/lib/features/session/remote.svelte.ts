/** A list that is asked for when a card is opened and again after it was changed here: loading, error or there. */
import { presentError, type PresentedError } from '$lib/client/present-error';

export class Remote<T> {
  readonly #ask: () => Promise<T>;
  value = $state.raw<T | null>(null);
  error = $state.raw<PresentedError | null>(null);
  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }
  load = async (): Promise<void> => {
    this.error = null;
    try {
      this.value = await this.#ask();
    } catch (thrown) {
      this.error = presentError(thrown);
    }
  };
}
