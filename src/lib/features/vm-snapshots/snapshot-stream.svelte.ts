/** The snapshots of one machine, as long as somebody looks. Browser only. */
import { trpc } from '$lib/client/trpc';
import type { VmSnapshots } from '$lib/shared/wire/vm-snapshots';

export class SnapshotStream {
  now = $state.raw<VmSnapshots | null>(null);

  /** @returns what ends it */
  follow(id: string): () => void {
    const subscription = trpc().vmSnapshots.onChange.subscribe(
      { id },
      {
        onData: (now) => (this.now = now),
        onError: (error) => console.warn('the stream of the snapshots of a machine ended', error),
      },
    );
    return () => subscription.unsubscribe();
  }
}
