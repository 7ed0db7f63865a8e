/** What can be done to a machine. */
import CirclePlus from '@lucide/svelte/icons/circle-plus';
import Eraser from '@lucide/svelte/icons/eraser';
import Moon from '@lucide/svelte/icons/moon';
import Pause from '@lucide/svelte/icons/pause';
import Play from '@lucide/svelte/icons/play';
import Power from '@lucide/svelte/icons/power';
import PowerOff from '@lucide/svelte/icons/power-off';
import RotateCcw from '@lucide/svelte/icons/rotate-ccw';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { goto } from '$app/navigation';
import { trpc } from '$lib/client/trpc';
import type { PluginView } from '$lib/shared/wire/plugins';
import type { Vm, VmState } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

const ON: readonly VmState[] = ['running', 'paused'];
const OFF: readonly VmState[] = ['stopped', 'saved', 'crashed', 'missing'];
const LOST_TEXT = 'What it has not written to its disk yet is lost, as when the power goes.';

export function vmActions(vm: Vm, access: Access): Action[] {
  const { id: vmId, name, state } = vm;
  const busy = vm.operationId ? 'An operation works on it. Wait until it has ended.' : null;
  const silent =
    state === 'unknown' ? 'Whether it is on cannot be told now: its engine does not answer.' : null;
  const why = (other: string | null = null): string | null =>
    access.why('operator') ?? busy ?? silent ?? other;
  const confirm = (title: string, verb: string, run: () => Promise<unknown>): void =>
    void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
      ...{ title, verb, text: LOST_TEXT },
      run: async () => void (await attempt(run)),
    });
  return [
    {
      id: 'vm.retry',
      title: 'Try again',
      icon: RotateCcw,
      shown: state === 'failed-to-start',
      why: why(),
      run: () => void attempt(() => trpc().vms.retry.mutate({ vmId })),
    },
    {
      id: 'vm.start',
      title: 'Start',
      icon: Play,
      shown: OFF.includes(state) || state === 'starting',
      why: why(vm.isTemplate ? 'It is a template: clone it, or make it a machine again first.' : null),
      run: () => void attempt(() => trpc().vms.start.mutate({ vmId })),
    },
    {
      id: 'vm.resume',
      title: 'Resume',
      icon: Play,
      shown: state === 'paused',
      why: why(),
      run: () => void attempt(() => trpc().vms.resume.mutate({ vmId })),
    },
    {
      id: 'vm.stop',
      title: 'Shut down',
      icon: Power,
      shown: ON.includes(state) || state === 'stopping' || state === 'unknown',
      why: why(state === 'paused' ? 'It is paused and would not notice. Resume it first.' : null),
      run: () => void attempt(() => trpc().vms.stop.mutate({ vmId })),
    },
    {
      id: 'vm.pause',
      title: 'Pause',
      icon: Pause,
      shown: state === 'running',
      why: why(),
      run: () => void attempt(() => trpc().vms.pause.mutate({ vmId })),
    },
    {
      id: 'vm.save',
      title: 'Save',
      icon: Moon,
      shown: ON.includes(state) || state === 'saving',
      why: why(),
      run: () => void attempt(() => trpc().vms.save.mutate({ vmId })),
    },
    {
      id: 'vm.discard-memory',
      title: 'Discard memory',
      icon: Eraser,
      tone: 'danger',
      shown: state === 'saved',
      why: why(),
      run: () =>
        confirm(`Discard the saved memory of ${name}?`, 'Discard', () =>
          trpc().vms.discardMemory.mutate({ vmId }),
        ),
    },
    {
      id: 'vm.reset',
      title: 'Reset',
      icon: RotateCcw,
      tone: 'danger',
      shown: state === 'running',
      why: why(),
      run: () => confirm(`Reset ${name}?`, 'Reset', () => trpc().vms.reset.mutate({ vmId })),
    },
    {
      id: 'vm.switch-off',
      title: 'Switch off',
      icon: PowerOff,
      tone: 'danger',
      shown: ON.includes(state),
      why: why(),
      run: () =>
        confirm(`Switch off ${name} at once?`, 'Switch off', () =>
          trpc().vms.stop.mutate({ vmId, graceSeconds: 0 }),
        ),
    },
    {
      id: 'vm.remove',
      title: 'Remove',
      icon: Trash2,
      tone: 'danger',
      shown: state !== 'creating' && state !== 'removing',
      why: why(
        vm.linked.length > 0
          ? `These lie above its disk: ${vm.linked.join(', ')}. Remove them first.`
          : vm.protected
            ? 'It is protected. Have an administrator take its protection away first.'
            : OFF.includes(state) || state === 'failed-to-start'
              ? null
              : 'It is on. Shut it down first.',
      ),
      run: () => void dialogs.open(() => import('./RemoveVmDialog.svelte'), { vm }),
    },
  ];
}

/** Why no machine can be run here; null: some engine answers, or has not been asked yet. */
export const engineProblem = (plugins: Iterable<PluginView>): PluginView | null => {
  const engines = [...plugins].filter(({ kind }) => kind === 'vm');
  return engines.some(({ available }) => available) ? null : (engines[0] ?? null);
};
export const newVmAction = (access: Access, problem: PluginView | null = null): Action => ({
  id: 'vm.new',
  title: 'New machine',
  icon: CirclePlus,
  shown: true,
  why: access.why('operator') ?? problem?.reason ?? null,
  run: () => void goto('/vms/new'),
});
