/** What can be done to a drive. */
import Archive from '@lucide/svelte/icons/archive';
import ArchiveRestore from '@lucide/svelte/icons/archive-restore';
import Eraser from '@lucide/svelte/icons/eraser';
import Lightbulb from '@lucide/svelte/icons/lightbulb';
import Moon from '@lucide/svelte/icons/moon';
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import PackagePlus from '@lucide/svelte/icons/package-plus';
import Tag from '@lucide/svelte/icons/tag';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { trpc } from '$lib/client/trpc';
import type { Drive } from '$lib/shared/wire/drives';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';
import { nameOf } from './words';

function whyNotUnprotect(drive: Drive): string | null {
  if (drive.protection === 'system')
    return 'This drive holds the running system, so it always stays protected.';
  if (drive.protection === 'sandbox-mode')
    return 'Sandbox mode locks every real drive. Install Cairn without sandbox mode to use it.';
  return null;
}
function whyNotRemove(drive: Drive): string | null {
  if (drive.pool) return `It is a member of the pool ${drive.pool.label}. Remove that pool first.`;
  if (drive.operationId) return 'An operation works on it. Wait until it has ended.';
  if (drive.group === 'in-use') return 'Something uses it. Unmount it first.';
  return null;
}

function whyNotWipe(drive: Drive): string | null {
  const [issue] = drive.issues.filter(({ code }) => code !== 'drive_set_aside');
  if (issue) return [issue.message, issue.remedy].filter(Boolean).join(' ');
  return drive.contentHash === 'blank' ? 'Nothing is on it.' : null;
}

export function driveActions(drive: Drive, access: Access): Action[] {
  const isProtected = drive.protection !== 'none';
  return [
    {
      id: 'drive.label',
      title: 'Label the bay',
      icon: Tag,
      shown: drive.present,
      why: access.why('operator'),
      run: () => void dialogs.open(() => import('./BayLabelDialog.svelte'), { drive }),
    },
    {
      id: 'drive.identify',
      title: 'Identify',
      icon: Lightbulb,
      shown: drive.present,
      why: access.why('operator'),
      run: () => void attempt(() => trpc().drives.identify.mutate({ id: drive.id })),
    },
    {
      id: 'drive.read',
      title: 'Read what is on it',
      icon: Moon,
      shown: drive.present && !drive.probed && drive.health.power === 'standby',
      why: access.why('operator'),
      run: () => void attempt(() => trpc().drives.refresh.mutate({ id: drive.id })),
    },
    {
      id: 'drive.wipe',
      title: 'Wipe …',
      icon: Eraser,
      tone: 'danger',
      shown: drive.present,
      why: access.why('operator') ?? whyNotWipe(drive),
      run: () =>
        void dialogs.open(() => import('./WipeDialog.svelte'), { driveId: drive.id, name: nameOf(drive) }),
    },
    {
      id: 'drive.set-aside',
      title: 'Set aside',
      icon: Archive,
      shown: drive.setAside === null && drive.group === 'free',
      why: access.why('operator'),
      run: () => void attempt(() => trpc().drives.setAside.mutate({ id: drive.id })),
    },
    {
      id: 'drive.release',
      title: 'Release',
      icon: ArchiveRestore,
      shown: drive.setAside !== null,
      why: access.why('operator'),
      run: () => void attempt(() => trpc().drives.release.mutate({ id: drive.id })),
    },
    {
      id: 'drive.protect',
      title: 'Protect',
      icon: Lock,
      shown: !isProtected && drive.present,
      why:
        access.why('admin') ??
        (drive.pool ? `It is a member of the pool ${drive.pool.label}, which guards it already.` : null),
      run: () => void attempt(() => trpc().drives.protect.mutate({ id: drive.id })),
    },
    {
      id: 'drive.unprotect',
      title: 'Remove protection',
      icon: LockOpen,
      shown: isProtected,
      why: access.why('admin') ?? whyNotUnprotect(drive),
      run: () => void attempt(() => trpc().drives.unprotect.mutate({ id: drive.id })),
    },
    {
      id: 'drive.remove-sandbox',
      title: 'Remove sandbox drive',
      icon: Trash2,
      tone: 'danger',
      shown: drive.sandbox,
      why: access.why('operator') ?? whyNotRemove(drive),
      run: () =>
        void dialogs.open(() => import('./RemoveSandboxDialog.svelte'), {
          driveId: drive.id,
          name: nameOf(drive),
        }),
    },
  ];
}

export const addSandboxAction = (access: Access, sandbox: boolean): Action => ({
  id: 'drive.add-sandbox',
  title: 'Add sandbox drives',
  icon: PackagePlus,
  shown: sandbox,
  why: access.why('operator'),
  run: () => void dialogs.open(() => import('./AddSandboxDialog.svelte'), {}),
});
