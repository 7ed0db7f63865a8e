/** The output of one operation, streamed: all lines so far, then new ones as they come. */
import { trpc } from '$lib/client/trpc';
import type { OutputLine } from '$lib/shared/wire/operations';

/** Enough for a person; the whole is in the outputs endpoint. */
const KEPT_LINES = 4_000;

export class OutputStream {
  #byStep = $state.raw<Record<number, OutputLine[]>>({});
  #last = 0;

  linesOf(stepIndex: number): OutputLine[] {
    return this.#byStep[stepIndex] ?? [];
  }
  get total(): number {
    let sum = 0;
    for (const lines of Object.values(this.#byStep)) sum += lines.length;
    return sum;
  }

  add(lines: OutputLine[]): void {
    const fresh = lines.filter((line) => line.id > this.#last);
    if (fresh.length === 0) return;
    this.#last = fresh.at(-1)?.id ?? this.#last;
    const next = { ...this.#byStep };
    for (const [step, more] of Object.entries(Object.groupBy(fresh, (line) => line.stepIndex)))
      next[Number(step)] = [...(next[Number(step)] ?? []), ...(more ?? [])].slice(-KEPT_LINES);
    this.#byStep = next;
  }

  /** @returns what ends the stream */
  follow(id: string): () => void {
    const subscription = trpc().operations.onOutput.subscribe(
      { id, lastEventId: null },
      {
        onData: (event) => this.add(event.data),
        onError: (error) => console.warn('output stream ended', error),
      },
    );
    return () => subscription.unsubscribe();
  }
}
