/** What machines use, as long as somebody looks. Browser only. */
import { trpc } from '$lib/client/trpc';
import { USAGE_SPAN_MS, type VmUsageSample, type VmUsageUpdate } from '$lib/shared/wire/vm-usage';

/** Those that are new, without those that are too old to be drawn. */
function grown(before: VmUsageSample[], more: VmUsageSample[]): VmUsageSample[] {
  const last = before.at(-1)?.at ?? 0;
  const all = [...before, ...more.filter(({ at }) => at > last)];
  const newest = all.at(-1)?.at ?? 0;
  return all.filter(({ at }) => at > newest - USAGE_SPAN_MS);
}

export class UsageStream {
  samples = $state.raw<VmUsageSample[]>([]);

  /** @returns what ends it */
  follow(id: string): () => void {
    return subscribe(id, (update) => (this.samples = grown(this.samples, update[id] ?? [])));
  }
}

export class UsageOfAll {
  /** By the id of their machine. */
  samples = $state.raw<VmUsageUpdate>({});

  /** @returns what ends it */
  follow(): () => void {
    return subscribe(null, (update) => {
      const now = { ...this.samples };
      for (const [id, more] of Object.entries(update)) now[id] = grown(now[id] ?? [], more);
      this.samples = now;
    });
  }
}

function subscribe(id: string | null, hear: (update: VmUsageUpdate) => void): () => void {
  const subscription = trpc().vms.onUsage.subscribe(
    { id },
    {
      onData: hear,
      onError: (error) => console.warn('the stream of what machines use ended', error),
    },
  );
  return () => subscription.unsubscribe();
}
