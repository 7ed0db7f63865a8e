/** What can be done to a plugin from somebody else. */
import Power from '@lucide/svelte/icons/power';
import PowerOff from '@lucide/svelte/icons/power-off';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { trpc } from '$lib/client/trpc';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import { attempt } from '../session/attempt';

/** @param why why this person may not, or null */
export function pluginActions({ id, name, installed }: PluginView, why: string | null): Action[] {
  const state = installed?.state;
  const isTrusted = installed !== null && state !== 'not-trusted';
  return [
    {
      ...{ id: 'plugin.enable', title: 'Enable', icon: Power, why },
      shown: state === 'off' || state === 'failed',
      run: () => void attempt(() => trpc().plugins.enable.mutate({ id })),
    },
    {
      ...{ id: 'plugin.disable', title: 'Disable', icon: PowerOff, why },
      shown: isTrusted && state !== 'off' && state !== 'failed',
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Disable ${name}`,
          text: 'Its pools keep their files and stay mounted, but Cairn can neither read nor change them until it is enabled again.',
          verb: 'Disable',
          tone: 'plain',
          run: async () => void (await attempt(() => trpc().plugins.disable.mutate({ id }))),
        }),
    },
    {
      ...{ id: 'plugin.remove', title: 'Remove', icon: Trash2, tone: 'danger' as const, why },
      shown: isTrusted,
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Remove ${name}`,
          text: 'It is refused while a pool or a machine needs it. What it has loaded stays in memory until Cairn is started again.',
          verb: 'Remove',
          run: async () => void (await attempt(() => trpc().plugins.remove.mutate({ id }))),
        }),
    },
  ];
}
