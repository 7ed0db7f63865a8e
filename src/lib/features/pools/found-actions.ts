/** What can be done to a pool that was found on the drives. */
import Download from '@lucide/svelte/icons/download';
import Eye from '@lucide/svelte/icons/eye';
import EyeOff from '@lucide/svelte/icons/eye-off';
import ScanSearch from '@lucide/svelte/icons/scan-search';
import { trpc } from '$lib/client/trpc';
import type { FoundPool, FoundVerb } from '$lib/shared/wire/found';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

export function foundActions(found: FoundPool, access: Access): Action[] {
  const { id } = found;
  const why = (verb: FoundVerb): string | null =>
    access.why('operator') ?? (found.verbs[verb].allowed ? null : found.verbs[verb].why);
  return [
    {
      id: 'found.adopt',
      title: 'Adopt',
      icon: Download,
      shown: !found.ignored,
      why: why('adopt'),
      run: () => void dialogs.open(() => import('./AdoptDialog.svelte'), { id }),
    },
    {
      id: 'found.peek',
      title: 'Look inside',
      icon: ScanSearch,
      shown: !found.ignored,
      why: why('peek'),
      run: () => void dialogs.open(() => import('./InsideDialog.svelte'), { id }),
    },
    {
      id: 'found.ignore',
      title: found.ignored ? 'Show again' : 'Leave alone',
      icon: found.ignored ? Eye : EyeOff,
      shown: true,
      why: why('ignore'),
      run: () => void attempt(() => trpc().found.ignore.mutate({ found: id, on: !found.ignored })),
    },
  ];
}
