/** What can be done to an image. */
import Download from '@lucide/svelte/icons/download';
import Link from '@lucide/svelte/icons/link';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Live } from '$lib/client/live.svelte';
import { trpc } from '$lib/client/trpc';
import type { Image } from '$lib/shared/wire/images';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';
import { poolsForImages } from './pools-for-images';

const NO_POOL = 'Images are kept on a pool. Make one, or mount one, first.';

const whyNotGet = (live: Live, access: Access): string | null =>
  access.why('operator') ?? (poolsForImages(live).length === 0 ? NO_POOL : null);

async function remove(image: Image): Promise<void> {
  await attempt(() => trpc().images.remove.mutate({ id: image.id }));
}

export function imageActions(image: Image, live: Live, access: Access): Action[] {
  const inCatalog = image.catalogId !== null && image.badge === 'needs-download';
  const whyNotRemove = image.operationId
    ? 'An operation works on it. Wait until it has ended.'
    : image.pool && image.badgeText && !live.pools.get(image.pool.guid)?.mounted
      ? `Mount the pool ${image.pool.label} first: the file lies on it.`
      : null;
  return [
    {
      id: 'image.get',
      title: 'Get',
      icon: Download,
      shown: inCatalog,
      why: whyNotGet(live, access),
      run: () => void dialogs.open(() => import('./GetImageDialog.svelte'), { image }),
    },
    {
      id: 'image.remove',
      title: 'Delete',
      icon: Trash2,
      tone: 'danger',
      shown: image.badge === 'ready' || image.badge === 'missing',
      why: access.why('operator') ?? whyNotRemove,
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Delete ${image.name}?`,
          text: image.path
            ? `The file ${image.path} is deleted for good. It can be downloaded again.`
            : 'It leaves the list. No file is touched.',
          verb: 'Delete image',
          run: () => remove(image),
        }),
    },
  ];
}

export const byAddressAction = (live: Live, access: Access): Action => ({
  id: 'image.by-address',
  title: 'From an address',
  icon: Link,
  shown: true,
  why: whyNotGet(live, access),
  run: () => void dialogs.open(() => import('./GetByAddressDialog.svelte'), {}),
});
