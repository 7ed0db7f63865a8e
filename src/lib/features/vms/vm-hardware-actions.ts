/** What can be done to what a machine is made of: its disks, its network cards, and the CD in its drive. */
import ArrowUpFromLine from '@lucide/svelte/icons/arrow-up-from-line';
import Cable from '@lucide/svelte/icons/cable';
import CirclePlus from '@lucide/svelte/icons/circle-plus';
import Disc from '@lucide/svelte/icons/disc';
import Expand from '@lucide/svelte/icons/expand';
import ListOrdered from '@lucide/svelte/icons/list-ordered';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { trpc } from '$lib/client/trpc';
import type { Vm, VmCardView, VmDiskView, VmState } from '$lib/shared/wire/vms';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';
import { isOn } from './words';

const NOT_NOW: Partial<Record<VmState, string>> = {
  starting: 'It is being started. Wait until it runs.',
  stopping: 'It is shutting down. Wait until it is off.',
  saving: 'It is being saved.',
  saved: 'Its saved memory belongs to what it has now. Start it, or discard that first.',
  unknown: 'Whether it is on cannot be told now: its engine does not answer.',
};
const whyNot = (vm: Vm, access: Access): string | null =>
  access.why('operator') ??
  (vm.operationId ? 'An operation works on it. Wait until it has ended.' : null) ??
  NOT_NOW[vm.state] ??
  null;
const whyNoPool = ({ pool }: Vm): string | null => (pool ? null : 'Its pool is not known any more.');
const whyAdopted = ({ adopted, isTemplate }: Vm): string | null =>
  isTemplate
    ? 'It is a template, and its disk does not change.'
    : adopted
      ? 'Cairn did not make it, and leaves its disks as they are. Add one with virsh.'
      : null;
const whyUnknown = ({ state, plugin }: Vm): string | null =>
  state === 'missing' ? `The plugin ${plugin} does not know it any more. Start it once first.` : null;
const whyPaused = ({ state }: Vm): string | null =>
  state === 'paused' ? 'It is paused and could not let go of it. Resume it first.' : null;

export const addDiskAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.add-disk',
  title: 'Add disk',
  icon: CirclePlus,
  shown: true,
  why: whyNot(vm, access) ?? whyAdopted(vm) ?? whyNoPool(vm) ?? whyUnknown(vm),
  run: () => void dialogs.open(() => import('./AddDiskDialog.svelte'), { vm }),
});

export const diskActions = (vm: Vm, disk: VmDiskView, access: Access): Action[] => [
  {
    id: 'vm.grow-disk',
    title: 'Enlarge',
    icon: Expand,
    shown: true,
    why: whyNot(vm, access) ?? whyAdopted(vm) ?? whyNoPool(vm),
    run: () => void dialogs.open(() => import('./GrowDiskDialog.svelte'), { vm, disk }),
  },
  {
    id: 'vm.remove-disk',
    title: 'Remove',
    icon: Trash2,
    tone: 'danger',
    // The first one goes with its machine.
    shown: disk.slot > 1,
    why:
      whyNot(vm, access) ??
      whyNoPool(vm) ??
      whyUnknown(vm) ??
      whyPaused(vm) ??
      (vm.protected ? 'It is protected. Have an administrator take its protection away first.' : null),
    run: () => void dialogs.open(() => import('./RemoveDiskDialog.svelte'), { vm, disk }),
  },
];

export function cdActions(vm: Vm, access: Access): Action[] {
  const why = whyNot(vm, access) ?? whyUnknown(vm);
  return [
    {
      id: 'vm.insert-cd',
      title: vm.cd ? 'Change CD' : 'Insert CD',
      icon: Disc,
      shown: true,
      why,
      run: () => void dialogs.open(() => import('./CdDialog.svelte'), { vm }),
    },
    {
      id: 'vm.eject-cd',
      title: 'Eject',
      icon: ArrowUpFromLine,
      shown: vm.cd !== null,
      why,
      run: () => void attempt(() => trpc().vms.changeCd.mutate({ vmId: vm.id, imageId: null })),
    },
  ];
}

export const addCardAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.add-card',
  title: 'Add card',
  icon: CirclePlus,
  shown: true,
  why: whyNot(vm, access) ?? whyUnknown(vm),
  run: () => void dialogs.open(() => import('./CardDialog.svelte'), { vm }),
});

const moveCardAction = (vm: Vm, card: VmCardView, access: Access): Action => ({
  id: 'vm.move-card',
  title: 'Change network',
  icon: Cable,
  shown: true,
  why: whyNot(vm, access) ?? whyUnknown(vm),
  run: () => void dialogs.open(() => import('./CardDialog.svelte'), { vm, card }),
});

const removeCardAction = (vm: Vm, { slot, mac }: VmCardView, access: Access): Action => ({
  id: 'vm.remove-card',
  title: 'Remove',
  icon: Trash2,
  tone: 'danger',
  shown: true,
  why: whyNot(vm, access) ?? whyUnknown(vm) ?? whyPaused(vm),
  run: () =>
    void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
      title: `Remove network card ${slot} of ${vm.name}?`,
      text: `The machine cannot be reached by ${mac} any more.${isOn(vm) ? ' Its guest is asked to let go of it; if it does not, the card stays.' : ''}`,
      verb: 'Remove card',
      run: async () => void (await attempt(() => trpc().vms.removeCard.mutate({ vmId: vm.id, slot }))),
    }),
});

export const bootAction = (vm: Vm, access: Access): Action => ({
  id: 'vm.boot-order',
  title: 'Change order',
  icon: ListOrdered,
  shown: true,
  why: whyNot(vm, access) ?? whyUnknown(vm),
  run: () => void dialogs.open(() => import('./BootDialog.svelte'), { vm }),
});
export const cardActions = (vm: Vm, card: VmCardView, access: Access): Action[] => [
  moveCardAction(vm, card, access),
  removeCardAction(vm, card, access),
];
