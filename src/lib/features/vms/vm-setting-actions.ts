/** What can be said about a machine, whatever it does at the moment. */
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import { trpc } from '$lib/client/trpc';
import type { Vm } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

export const protectAction = ({ id: vmId, protected: value }: Vm, access: Access): Action => ({
  id: 'vm.protect',
  title: value ? 'Unprotect' : 'Protect',
  icon: value ? LockOpen : Lock,
  shown: true,
  why: access.why('admin'),
  run: () => void attempt(() => trpc().vms.protect.mutate({ vmId, value: !value })),
});
