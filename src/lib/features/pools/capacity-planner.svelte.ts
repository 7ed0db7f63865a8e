/** "With one more drive …": drives that are there, and those one thinks of, asked of the plugin itself. */
import { trpc } from '$lib/client/trpc';
import { presentError } from '$lib/client/present-error';
import type { CapacityPlan, OptionValues } from '$lib/shared/wire/plugins';

export interface Planned {
  plugin: string;
  layout: string;
  options: OptionValues;
  sizes: number[];
}

const MOST = 8;

export class CapacityPlanner {
  /** Bytes of each drive that is thought of. */
  added = $state.raw<number[]>([]);
  found = $state.raw<{ now: CapacityPlan; then: CapacityPlan } | null>(null);
  error = $state<string | null>(null);
  readonly #of: () => Planned | null;

  constructor(of: () => Planned | null) {
    this.#of = of;
  }

  whyNoMore = $derived.by((): string | null =>
    this.added.length >= MOST ? `${MOST} more drives are as many as are planned here.` : null,
  );
  add(sizeBytes: number): void {
    if (!this.whyNoMore) this.added = [...this.added, sizeBytes];
  }
  removeAt(index: number): void {
    this.added = this.added.filter((_, other) => other !== index);
  }

  /** Asks for what is chosen now; the newest question wins. @returns what makes the answer late */
  ask(): () => void {
    const planned = this.#of();
    const { added } = this;
    let late = false;
    const end = (): void => {
      late = true;
    };
    if (!planned || planned.sizes.length + added.length === 0) {
      this.found = null;
      return end;
    }
    const { sizes, ...rest } = planned;
    trpc()
      .pools.planCapacity.query({ ...rest, now: sizes, then: [...sizes, ...added] })
      .then((found) => {
        if (late) return;
        this.found = found;
        this.error = null;
      })
      .catch((thrown: unknown) => {
        if (!late) this.error = presentError(thrown).message;
      });
    return end;
  }
}
