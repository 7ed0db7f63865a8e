/** What can be done to the networks of the host. */
import Plus from '@lucide/svelte/icons/plus';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Operation } from '$lib/shared/wire/operations';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import type { NetworkView } from './network-view';

const busy = (change: Operation | null): string | null =>
  change ? `"${change.title}" is going on. Wait until it has ended.` : null;

export const makeBridgeAction = (access: Access, change: Operation | null): Action => ({
  id: 'network.make-bridge',
  title: 'Make a bridge',
  icon: Plus,
  shown: true,
  why: access.why('admin') ?? busy(change),
  run: () => void dialogs.open(() => import('./BridgeDialog.svelte'), {}),
});

export const removeBridgeAction = (
  { id, kind, machines }: NetworkView,
  access: Access,
  change: Operation | null,
): Action => ({
  id: 'network.remove-bridge',
  title: 'Remove',
  icon: Trash2,
  tone: 'danger',
  shown: kind === 'bridge',
  why:
    access.why('admin') ??
    busy(change) ??
    (machines.length > 0 ? 'Machines are plugged in. Move their network cards first.' : null),
  run: () => void dialogs.open(() => import('./RemoveBridgeDialog.svelte'), { name: id }),
});
