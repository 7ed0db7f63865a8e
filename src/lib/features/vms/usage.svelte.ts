/** What one machine uses, as long as somebody looks. Browser only. */
import { trpc } from '$lib/client/trpc';
import { USAGE_SPAN_MS, type VmUsageSample } from '$lib/shared/wire/vm-usage';

export class UsageStream {
  samples = $state.raw<VmUsageSample[]>([]);

  /** @returns what ends it */
  follow(id: string): () => void {
    const subscription = trpc().vms.onUsage.subscribe(
      { id },
      {
        onData: (update) => this.add(update[id] ?? []),
        onError: (error) => console.warn('the stream of what a machine uses ended', error),
      },
    );
    return () => subscription.unsubscribe();
  }
  private add(more: VmUsageSample[]): void {
    const last = this.samples.at(-1)?.at ?? 0;
    const fresh = more.filter(({ at }) => at > last);
    const newest = fresh.at(-1);
    if (newest) this.samples = [...this.samples, ...fresh].filter(({ at }) => at > newest.at - USAGE_SPAN_MS);
  }
}
