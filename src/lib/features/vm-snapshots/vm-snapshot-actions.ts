/** What can be done with the snapshots of a machine. */
import Camera from '@lucide/svelte/icons/camera';
import History from '@lucide/svelte/icons/history';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { VmSnapshot, VmSnapshots } from '$lib/shared/wire/vm-snapshots';
import type { Vm, VmState } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';

const AT_REST: readonly VmState[] = ['running', 'paused', 'stopped', 'crashed'];

const busyWhy = (vm: Vm, access: Access): string | null =>
  access.why('operator') ?? (vm.operationId ? 'An operation works on it. Wait until it has ended.' : null);

const stateWhy = ({ state }: Vm): string | null => {
  if (AT_REST.includes(state)) return null;
  if (state === 'saved')
    return 'Its saved memory fits its disk only as it is now. Start it, or discard that first.';
  if (state === 'missing') return 'Its engine does not know it any more. Start it once first.';
  return state === 'unknown' ? 'Its engine does not answer.' : 'Wait until it is on or off.';
};

export const takeAction = (vm: Vm, all: VmSnapshots, access: Access): Action => ({
  id: 'vm.snapshot',
  title: 'Take snapshot',
  icon: Camera,
  shown: true,
  why: busyWhy(vm, access) ?? stateWhy(vm) ?? all.takeWhy,
  run: () => void dialogs.open(() => import('./TakeDialog.svelte'), { vm }),
});

export function oneSnapshotActions(vm: Vm, snapshot: VmSnapshot, access: Access): Action[] {
  const { name, restoreWhy, deleteWhy } = snapshot;
  return [
    {
      id: 'vm.restore-snapshot',
      title: 'Restore',
      icon: History,
      shown: true,
      why: busyWhy(vm, access) ?? restoreWhy ?? stateWhy(vm),
      run: () => void dialogs.open(() => import('./RestoreDialog.svelte'), { vm, name }),
    },
    {
      id: 'vm.delete-snapshot',
      title: 'Delete',
      icon: Trash2,
      tone: 'danger',
      shown: true,
      why: busyWhy(vm, access) ?? deleteWhy,
      run: () => void dialogs.open(() => import('./DeleteDialog.svelte'), { vm, name }),
    },
  ];
}
