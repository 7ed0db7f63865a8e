/** What can be done to a machine that was removed. */
import Trash2 from '@lucide/svelte/icons/trash-2';
import Undo2 from '@lucide/svelte/icons/undo-2';
import type { RemovedVm } from '$lib/shared/wire/removed-vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';

export function removedActions(vm: RemovedVm, access: Access): Action[] {
  const busy = vm.operationId ? 'An operation works on it. Wait until it has ended.' : null;
  const why = access.why('operator') ?? busy ?? vm.blocked;
  return [
    {
      ...{ id: 'removed-vm.bring-back', title: 'Bring back', icon: Undo2, shown: true, why },
      run: () => void dialogs.open(() => import('./BringBackDialog.svelte'), { vm }),
    },
    {
      ...{ id: 'removed-vm.empty', title: 'Delete now', icon: Trash2, tone: 'danger', shown: true, why },
      run: () => void dialogs.open(() => import('./EmptyDialog.svelte'), { vm }),
    },
  ];
}
