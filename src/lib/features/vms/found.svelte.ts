/** Machines that engines know and the records do not, as long as somebody looks. Browser only. */
import { trpc } from '$lib/client/trpc';
import type { FoundVms } from '$lib/shared/wire/vm-found';

export class FoundStream {
  now = $state.raw<FoundVms>({ machines: [], error: null });

  /** @returns what ends it */
  follow(): () => void {
    const subscription = trpc().vms.onFound.subscribe(undefined, {
      onData: (now) => (this.now = now),
      onError: (error) => console.warn('the stream of the machines that were found ended', error),
    });
    return () => subscription.unsubscribe();
  }
}
