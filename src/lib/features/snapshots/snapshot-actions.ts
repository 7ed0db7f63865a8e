/** What can be done with the snapshots of a pool. */
import Camera from '@lucide/svelte/icons/camera';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import FolderOpen from '@lucide/svelte/icons/folder-open';
import Lock from '@lucide/svelte/icons/lock';
import LockOpen from '@lucide/svelte/icons/lock-open';
import History from '@lucide/svelte/icons/history';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Pool } from '$lib/shared/wire/pools';
import type { PoolSnapshots, Snapshot } from '$lib/shared/wire/snapshots';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import { trpc } from '$lib/client/trpc';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

const busyWhy = (pool: Pool, access: Access): string | null =>
  access.why('operator') ??
  (pool.operationId !== null ? 'Another operation is at work on the pool. Wait until it has ended.' : null) ??
  (pool.mounted ? null : 'Mount the pool first.');

export function snapshotsActions(pool: Pool, all: PoolSnapshots, access: Access): Action[] {
  const { guid, label } = pool;
  return [
    {
      id: 'snapshot.take',
      title: 'Take snapshot now',
      icon: Camera,
      shown: true,
      why: busyWhy(pool, access) ?? all.createWhy,
      run: () => void dialogs.open(() => import('./TakeDialog.svelte'), { guid, label }),
    },
    {
      id: 'snapshot.schedule',
      title: 'Schedule',
      icon: CalendarClock,
      shown: true,
      why: access.why('operator') ?? (pool.mounted ? all.createWhy : null),
      run: () => void dialogs.open(() => import('./ScheduleDialog.svelte'), { guid, label }),
    },
  ];
}

export function oneSnapshotActions(
  pool: Pool,
  all: PoolSnapshots,
  { name, path, protected: isProtected }: Snapshot,
  access: Access,
): Action[] {
  const { guid, label } = pool;
  return [
    {
      id: 'snapshot.browse',
      title: 'Look inside',
      icon: FolderOpen,
      shown: true,
      why:
        access.why('operator') ??
        (path === null ? 'Its files are mounted nowhere; roll back to it to see them.' : null),
      run: () => void dialogs.open(() => import('./FilesDialog.svelte'), { guid, name }),
    },
    {
      id: 'snapshot.roll-back',
      title: 'Roll back',
      icon: History,
      shown: true,
      why: busyWhy(pool, access) ?? all.rollBackWhy,
      run: () =>
        void dialogs.open(() => import('./PlanDialog.svelte'), { guid, label, name, verb: 'roll-back' }),
    },
    {
      id: 'snapshot.protect',
      title: isProtected ? 'Unprotect' : 'Protect',
      icon: isProtected ? LockOpen : Lock,
      shown: true,
      why: access.why('operator'),
      run: () => void attempt(() => trpc().snapshots.protect.mutate({ guid, name, value: !isProtected })),
    },
    {
      id: 'snapshot.delete',
      title: 'Remove',
      icon: Trash2,
      tone: 'danger',
      shown: true,
      why: busyWhy(pool, access) ?? (isProtected ? 'It is protected: take its protection away first.' : null),
      run: () =>
        void dialogs.open(() => import('./PlanDialog.svelte'), { guid, label, name, verb: 'delete' }),
    },
  ];
}
