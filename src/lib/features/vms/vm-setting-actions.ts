/** What can be said about a machine, whatever it does at the moment. */
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import Copy from '@lucide/svelte/icons/copy';
import Cpu from '@lucide/svelte/icons/cpu';
import HardDriveDownload from '@lucide/svelte/icons/hard-drive-download';
import Layers from '@lucide/svelte/icons/layers';
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import PowerOff from '@lucide/svelte/icons/power-off';
import Tag from '@lucide/svelte/icons/tag';
import Unlink from '@lucide/svelte/icons/unlink';
import { trpc } from '$lib/client/trpc';
import type { Vm, VmState } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

const OFF: readonly VmState[] = ['stopped', 'crashed'];

export const resizeAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.resize',
  title: 'Change size',
  icon: Cpu,
  shown: true,
  why:
    access.why('operator') ??
    (vm.operationId ? 'An operation works on it. Wait until it has ended.' : null) ??
    (vm.state === 'missing' ? `${vm.plugin} does not know it any more. Start it once first.` : null) ??
    (vm.state === 'saved'
      ? 'Its saved memory has the size that it has. Start it, or discard that first.'
      : null) ??
    (OFF.includes(vm.state) ? null : 'It has to be off. Shut it down first.'),
  run: () => void dialogs.open(() => import('./ResizeDialog.svelte'), { vm }),
});

export const autostartAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.autostart',
  title: 'Change start',
  icon: CalendarClock,
  shown: true,
  why: access.why('operator') ?? (vm.isTemplate ? 'It is a template, which is never started.' : null),
  run: () => void dialogs.open(() => import('./AutostartDialog.svelte'), { vm }),
});

export const hostStopAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.host-stop',
  title: 'Change stop',
  icon: PowerOff,
  shown: true,
  why: access.why('operator'),
  run: () => void dialogs.open(() => import('./HostStopDialog.svelte'), { vm }),
});

export const labelAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.label',
  title: 'Change',
  icon: Tag,
  shown: true,
  why: access.why('operator'),
  run: () => void dialogs.open(() => import('./LabelsDialog.svelte'), { vm }),
});

export const cloneAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.clone',
  title: 'Clone',
  icon: Copy,
  shown: true,
  why:
    access.why('operator') ??
    (vm.adopted ? 'Cairn did not make it, and does not know how to make another one like it.' : null) ??
    (vm.operationId ? 'An operation works on it. Wait until it has ended.' : null) ??
    (vm.state === 'missing' ? 'Its engine does not know it any more. Start it once first.' : null) ??
    (vm.state === 'saved'
      ? 'What it is at work on is in its saved memory. Start it and shut it down, or discard that first.'
      : null) ??
    (OFF.includes(vm.state) ? null : 'It has to be off. Shut it down first.'),
  run: () => void dialogs.open(() => import('./CloneDialog.svelte'), { vm }),
});

export const templateAction = (vm: Vm, access: Access): Action => ({
  ...cloneAction(vm, access),
  ...{ id: 'vm.template', title: vm.isTemplate ? 'Make a machine' : 'Make a template', icon: Layers },
  why:
    cloneAction(vm, access).why ??
    (vm.linked.length > 0 ? `These lie above its disk: ${vm.linked.join(', ')}.` : null) ??
    (vm.autostart.on && !vm.isTemplate ? 'It starts with the host. Change that first.' : null),
  run: () =>
    void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
      title: vm.isTemplate ? `Make ${vm.name} a machine again?` : `Make ${vm.name} a template?`,
      text: vm.isTemplate
        ? 'It can be started again. Its clones are full copies from then on.'
        : 'It cannot be started any more, and nothing can be written to its disk. Its clones can be linked to that disk: they are there at once and hold only what differs. You can make it a machine again as long as no linked clone needs it.',
      verb: vm.isTemplate ? 'Make a machine' : 'Make a template',
      tone: 'plain',
      run: async () => {
        await attempt(() => trpc().vms.template.mutate({ vmId: vm.id, value: !vm.isTemplate }));
      },
    }),
});

export const exportAction = (vm: Vm, access: Access): Action => ({
  ...cloneAction(vm, access),
  ...{ id: 'vm.export', title: 'Export', icon: HardDriveDownload },
  run: () => void dialogs.open(() => import('./ExportDialog.svelte'), { vm }),
});

export const releaseAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.release',
  title: 'Give up',
  icon: Unlink,
  shown: true,
  why:
    access.why('operator') ??
    (vm.operationId ? 'An operation works on it. Wait until it has ended.' : null) ??
    (vm.state === 'unknown' ? 'Its engine does not answer now.' : null) ??
    (vm.basedOn ? 'Its disk lies above that of a template. Clone it as a full copy first.' : null) ??
    (vm.linked.length > 0 ? `These lie above its disk: ${vm.linked.join(', ')}.` : null) ??
    (vm.protected ? 'It is protected. Have an administrator take its protection away first.' : null),
  run: () => void dialogs.open(() => import('./ReleaseDialog.svelte'), { vm }),
});

export const protectAction = ({ id: vmId, protected: value }: Vm, access: Access): Action => ({
  id: 'vm.protect',
  title: value ? 'Unprotect' : 'Protect',
  icon: value ? LockOpen : Lock,
  shown: true,
  why: access.why('admin'),
  run: () => void attempt(() => trpc().vms.protect.mutate({ vmId, value: !value })),
});
