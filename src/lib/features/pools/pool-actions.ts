/** What can be done to a pool. */
import CirclePlus from '@lucide/svelte/icons/circle-plus';
import FolderInput from '@lucide/svelte/icons/folder-input';
import FolderOutput from '@lucide/svelte/icons/folder-output';
import ListChecks from '@lucide/svelte/icons/list-checks';
import Pencil from '@lucide/svelte/icons/pencil';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { goto } from '$app/navigation';
import { trpc } from '$lib/client/trpc';
import type { Pool, PoolVerb } from '$lib/shared/wire/pools';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

export function poolActions(pool: Pool, access: Access): Action[] {
  const { guid, label } = pool;
  const why = (verb: PoolVerb): string | null => {
    const state = pool.verbs[verb];
    return (
      access.why('operator') ?? (state.allowed ? null : (state.why ?? 'It cannot be done in this state.'))
    );
  };
  return [
    {
      id: 'pool.mount',
      title: 'Mount',
      icon: FolderInput,
      shown: !pool.mounted,
      why: why('mount'),
      run: () => void attempt(() => trpc().pools.mount.mutate({ guid })),
    },
    {
      id: 'pool.unmount',
      title: 'Unmount',
      icon: FolderOutput,
      shown: pool.mounted,
      why: why('unmount'),
      run: () => void dialogs.open(() => import('./UnmountDialog.svelte'), { guid, label }),
    },
    {
      id: 'pool.rename',
      title: 'Rename',
      icon: Pencil,
      shown: true,
      why: why('rename'),
      run: () => void dialogs.open(() => import('./RenameDialog.svelte'), { guid, label }),
    },
    {
      id: 'pool.remove',
      title: 'Remove',
      icon: Trash2,
      tone: 'danger',
      shown: true,
      why: why('remove'),
      run: () => void dialogs.open(() => import('./RemoveDialog.svelte'), { guid, label }),
    },
  ];
}

export const newPoolAction = (access: Access): Action => ({
  id: 'pool.new',
  title: 'New pool',
  icon: CirclePlus,
  shown: true,
  why: access.why('operator'),
  run: () => void goto('/pools/new'),
});

/** Everybody may compare; what mends needs a role of its own. */
export const validateAction = (): Action => ({
  id: 'pool.validate',
  title: 'Check the records',
  icon: ListChecks,
  shown: true,
  why: null,
  run: () => void dialogs.open(() => import('./ValidationDialog.svelte'), {}),
});
