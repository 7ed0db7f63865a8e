/** What can be said about a machine, whatever it does at the moment. */
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import { trpc } from '$lib/client/trpc';
import type { Vm } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

export const autostartAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.autostart',
  title: 'Change start',
  icon: CalendarClock,
  shown: true,
  why: access.why('operator'),
  run: () => void dialogs.open(() => import('./AutostartDialog.svelte'), { vm }),
});

export const protectAction = ({ id: vmId, protected: value }: Vm, access: Access): Action => ({
  id: 'vm.protect',
  title: value ? 'Unprotect' : 'Protect',
  icon: value ? LockOpen : Lock,
  shown: true,
  why: access.why('admin'),
  run: () => void attempt(() => trpc().vms.protect.mutate({ vmId, value: !value })),
});
