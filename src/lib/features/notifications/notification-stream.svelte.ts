/** Channels and messages, live, as long as somebody looks. Browser only. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { NotificationsView } from '$lib/shared/wire/notifications';

export class NotificationStream {
  now = $state.raw<NotificationsView | null>(null);
  error = $state.raw<PresentedError | null>(null);

  /** @returns what ends it */
  follow(): () => void {
    this.error = null;
    const subscription = trpc().notifications.onChange.subscribe(undefined, {
      onData: (now) => (this.now = now),
      onError: (error) => (this.error = presentError(error)),
    });
    return () => subscription.unsubscribe();
  }
}
