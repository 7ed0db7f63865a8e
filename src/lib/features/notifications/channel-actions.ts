/** What can be done with a channel: one list for every place that shows one. */
import { trpc } from '$lib/client/trpc';
import type { ChannelView, TestResult } from '$lib/shared/wire/notifications';
import { dialogs } from '$lib/ui/dialogs.svelte';
import { attempt } from '../session/attempt';

export const addChannel = (timeZone: string): void =>
  void dialogs.open(() => import('./ChannelDialog.svelte'), { channel: null, timeZone });
export const editChannel = (channel: ChannelView, timeZone: string): void =>
  void dialogs.open(() => import('./ChannelDialog.svelte'), { channel, timeZone });

/** @returns null when nobody could be asked; that was shown already */
export const testChannel = ({ id }: ChannelView): Promise<TestResult | null> =>
  attempt(() => trpc().notifications.test.mutate({ id }));

export function removeChannel({ id, name, waiting, held }: ChannelView): void {
  const lost = waiting + held;
  void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
    title: `Remove ${name}`,
    text: `Nothing is told by it any more, and its passwords and tokens are deleted. ${
      lost > 0
        ? `${lost === 1 ? 'One message' : `${lost} messages`} that it has not told yet will not be told.`
        : ''
    }`.trim(),
    verb: 'Remove channel',
    run: async () => void (await attempt(() => trpc().notifications.remove.mutate({ id }))),
  });
}
