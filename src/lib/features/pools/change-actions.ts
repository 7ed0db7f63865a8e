/** What can be changed about a pool that is there: its drives, and the work of its kernel. */
import { goto } from '$app/navigation';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import Eraser from '@lucide/svelte/icons/eraser';
import HardDriveUpload from '@lucide/svelte/icons/hard-drive-upload';
import LogOut from '@lucide/svelte/icons/log-out';
import Plus from '@lucide/svelte/icons/plus';
import Replace from '@lucide/svelte/icons/replace';
import Route from '@lucide/svelte/icons/route';
import Scale from '@lucide/svelte/icons/scale';
import ScanSearch from '@lucide/svelte/icons/scan-search';
import Undo2 from '@lucide/svelte/icons/undo-2';
import Unplug from '@lucide/svelte/icons/unplug';
import { trpc } from '$lib/client/trpc';
import type { Pool } from '$lib/shared/wire/pools';
import type { Action, IconComponent } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';
import type { DialogVerb } from './pool-change.svelte';

export interface ChangeAction extends Action {
  /** What it is good for, one sentence. */
  text: string;
}
type WorkVerb = 'clear-errors' | 'start-scrub' | 'stop-scrub' | 'start-balance' | 'stop-balance';

export function changeActions(pool: Pool, access: Access): ChangeAction[] {
  const { guid, label } = pool;
  const why = (verb: DialogVerb | WorkVerb): string | null =>
    access.why('operator') ??
    (pool.verbs[verb].allowed ? null : (pool.verbs[verb].why ?? 'It cannot be done in this state.'));
  const withDialog = (
    verb: DialogVerb,
    icon: IconComponent,
    words: { title: string; text: string; act: string; shown?: boolean },
  ): ChangeAction => ({
    ...{ id: `pool.${verb}`, title: words.title, icon, text: words.text, why: why(verb) },
    shown: words.shown ?? true,
    run: () =>
      void dialogs.open(() => import('./ChangeDialog.svelte'), {
        ...{ guid, verb, title: `${words.title}: ${label}`, text: words.text, act: words.act },
      }),
  });
  const atOnce = (
    verb: WorkVerb,
    icon: IconComponent,
    words: { title: string; text: string; shown: boolean },
  ): ChangeAction => ({
    ...{ id: `pool.${verb}`, icon, why: why(verb), ...words },
    run: () => void attempt(() => trpc().pools.change.mutate({ request: { verb, poolGroupGuid: guid } })),
  });
  const scrubs = pool.verbs['stop-scrub'].allowed;
  const balances = pool.verbs['stop-balance'].allowed;
  return [
    withDialog('expand', Plus, {
      title: 'Expand',
      text: 'More drives join the pool, and their space is there at once.',
      act: 'Expand the pool',
    }),
    {
      id: 'pool.replace-guided',
      title: 'Which one do I pull?',
      icon: Route,
      text: 'Step by step: what speaks against a drive, which one it is, and a new one in its place.',
      // It says itself what keeps it from beginning.
      ...{ why: null, shown: true },
      run: () => void goto(`/pools/${guid}/replace`),
    },
    withDialog('replace', Replace, {
      title: 'Replace a drive',
      text: 'At once, if you know which: a new drive takes the place of one of the pool.',
      act: 'Replace the drive',
    }),
    withDialog('re-add', Undo2, {
      title: 'Take a drive back',
      text: 'A member that was away is back, and gets what it missed.',
      act: 'Take it back',
      shown: pool.verbs['re-add'].allowed,
    }),
    withDialog('add-drive', HardDriveUpload, {
      title: 'Add a spare, cache or log drive',
      text: 'It helps the pool and adds no space.',
      act: 'Add the drive',
      shown: pool.roles.length > 0,
    }),
    withDialog('remove-drive', Unplug, {
      title: 'Let a drive go',
      text: 'What is on it moves to the others; then it is erased and free.',
      act: 'Let the drive go',
    }),
    atOnce('start-scrub', ScanSearch, {
      title: 'Scrub',
      text: 'Reads everything, compares it with its checksums or copies, and mends what is damaged.',
      shown: !scrubs,
    }),
    atOnce('stop-scrub', CircleStop, {
      title: 'Stop the scrub',
      text: 'What was checked so far stays mended.',
      shown: scrubs,
    }),
    atOnce('start-balance', Scale, {
      title: 'Balance',
      text: 'Spreads what is there over all drives, as after one has joined.',
      shown: !balances,
    }),
    atOnce('stop-balance', CircleStop, {
      title: 'Stop the balance',
      text: 'What was moved so far stays where it is.',
      shown: balances,
    }),
    atOnce('clear-errors', Eraser, {
      title: 'Clear error counters',
      text: 'When the cause is gone: what was counted is forgotten, and an error that comes again is seen as new.',
      shown: pool.verbs['clear-errors'].allowed,
    }),
    withDialog('release', LogOut, {
      title: 'Release',
      text: 'Cairn lets go of the pool and forgets it. Everything stays on its drives.',
      act: 'Release the pool',
    }),
  ];
}
