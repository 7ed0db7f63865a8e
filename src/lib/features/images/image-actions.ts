/** What can be done to an image. */
import Download from '@lucide/svelte/icons/download';
import ListX from '@lucide/svelte/icons/list-x';
import Link from '@lucide/svelte/icons/link';
import Pause from '@lucide/svelte/icons/pause';
import Play from '@lucide/svelte/icons/play';
import Upload from '@lucide/svelte/icons/upload';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import Pencil from '@lucide/svelte/icons/pencil';
import Plus from '@lucide/svelte/icons/plus';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Live } from '$lib/client/live.svelte';
import { trpc } from '$lib/client/trpc';
import type { CatalogRefresh, Image, ImageLook, ImageOrigin } from '$lib/shared/wire/images';
import type { Action } from '$lib/ui/action';
import { dialogs } from '$lib/ui/dialogs.svelte';
import { showToast } from '$lib/ui/toast';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';
import { formatBytes } from '$lib/ui/format';
import { chooseFile, isSending, pauseUpload, sendFile } from './uploads.svelte';
import { poolsForImages } from './pools-for-images';

const NO_POOL = 'Images are kept on a pool. Make one, or mount one, first.';

const whyNotGet = (live: Live, access: Access): string | null =>
  access.why('operator') ?? (poolsForImages(live).length === 0 ? NO_POOL : null);

const BACK: Record<ImageOrigin, string> = {
  ...{ catalog: 'It can be downloaded again', url: 'It can be downloaded again' },
  ...{ upload: 'You can upload it again while you have it', scanned: 'Cairn cannot bring it back' },
  converted: 'It can be made again while its source is there',
};
/** What goes, and whether it can come back. */
const removalText = (image: Image): string =>
  image.path === null
    ? 'It leaves the list. No file is touched.'
    : image.origin === 'scanned'
      ? `The file ${image.path} is deleted for good. Cairn did not put it there and cannot bring it back. To keep the file, take it off the list instead.`
      : `The file ${image.path} is deleted for good. ${BACK[image.origin]}.`;

async function forget(image: Image): Promise<void> {
  await attempt(() => trpc().images.forget.mutate({ id: image.id }));
}
/** Another file of the same size is noticed in the end, by its checksum; of another size at once. */
function continueWith(image: Image, file: File): void {
  if (file.size === image.sizeBytes) sendFile(image.id, file);
  else
    void showToast({
      tone: 'bad',
      title: 'That is another file',
      text: `${file.name} has ${formatBytes(file.size)}; what is being uploaded has ${formatBytes(image.sizeBytes)}.`,
    });
}
async function convert(image: Image): Promise<void> {
  await attempt(() => trpc().images.convert.mutate({ imageId: image.id }));
}
async function removeEntry({ catalogId }: Image): Promise<void> {
  if (catalogId !== null) await attempt(() => trpc().images.removeEntry.mutate({ id: catalogId }));
}
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
      id: 'image.get-newer',
      title: 'Get newer',
      icon: Download,
      shown: image.newer && !image.operationId,
      why: whyNotGet(live, access),
      run: () => void dialogs.open(() => import('./GetImageDialog.svelte'), { image }),
    },
    {
      id: 'image.save',
      title: 'Download file',
      icon: Download,
      shown: image.badge === 'ready' && image.path !== null && image.origin === 'converted',
      why: access.why('operator'),
      run: () => window.location.assign(`/api/v1/images/${image.id}/file`),
    },
    {
      id: 'image.convert',
      title: 'Convert',
      icon: RefreshCw,
      shown: image.badge === 'needs-conversion',
      why: access.why('operator'),
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Convert ${image.name}?`,
          text: `A qcow2 of it is written beside the other images of ${image.pool?.label ?? 'its pool'}. ${image.path ?? 'The file'} stays as it is.`,
          verb: 'Convert',
          tone: 'plain',
          run: () => convert(image),
        }),
    },
    {
      id: 'image.pause-upload',
      title: 'Pause',
      icon: Pause,
      shown: image.badge === 'uploading' && isSending(image.id),
      why: null,
      run: () => pauseUpload(image.id),
    },
    {
      id: 'image.continue-upload',
      title: 'Continue',
      icon: Play,
      shown: image.badge === 'uploading' && !isSending(image.id),
      why: access.why('operator'),
      run: () => chooseFile((file) => continueWith(image, file)),
    },
    {
      id: 'image.edit-entry',
      title: 'Edit',
      icon: Pencil,
      shown: inCatalog && image.ownEntry,
      why: access.why('operator'),
      run: () => void dialogs.open(() => import('./CatalogEntryDialog.svelte'), { entryId: image.catalogId }),
    },
    {
      id: 'image.remove-entry',
      title: 'Remove',
      icon: Trash2,
      tone: 'danger',
      shown: inCatalog && image.ownEntry,
      why: access.why('operator'),
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Remove ${image.name} from the catalog?`,
          text: 'Only the entry goes. No file is touched.',
          verb: 'Remove entry',
          run: () => removeEntry(image),
        }),
    },
    {
      id: 'image.forget',
      title: 'Take off the list',
      icon: ListX,
      shown: image.origin === 'scanned',
      why:
        access.why('operator') ??
        (image.operationId ? 'An operation works on it. Wait until it has ended.' : null),
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Take ${image.name} off the list?`,
          text: `The file ${image.path ?? ''} stays where it is, untouched. "Look again" lists it again.`,
          verb: 'Take off the list',
          tone: 'plain',
          run: () => forget(image),
        }),
    },
    {
      id: 'image.remove',
      title: 'Delete',
      icon: Trash2,
      tone: 'danger',
      shown: !['downloading', 'uploading', 'converting', 'needs-download'].includes(image.badge),
      why: access.why('operator') ?? whyNotRemove,
      run: () =>
        void dialogs.open(() => import('$lib/ui/ConfirmDialog.svelte'), {
          title: `Delete ${image.name}?`,
          text: removalText(image),
          verb: image.origin === 'scanned' ? 'Delete the file' : 'Delete image',
          run: () => remove(image),
        }),
    },
  ];
}

export const uploadAction = (live: Live, access: Access): Action => ({
  id: 'image.upload',
  title: 'Upload',
  icon: Upload,
  shown: true,
  why: whyNotGet(live, access),
  run: () => void dialogs.open(() => import('./UploadDialog.svelte'), {}),
});

export const byAddressAction = (live: Live, access: Access): Action => ({
  id: 'image.by-address',
  title: 'From an address',
  icon: Link,
  shown: true,
  why: whyNotGet(live, access),
  run: () => void dialogs.open(() => import('./GetByAddressDialog.svelte'), {}),
});

export const addEntryAction = (access: Access): Action => ({
  id: 'image.add-entry',
  title: 'Add an entry',
  icon: Plus,
  shown: true,
  why: access.why('operator'),
  run: () => void dialogs.open(() => import('./CatalogEntryDialog.svelte'), { entryId: null }),
});

function tellRefresh({ asked, failed }: CatalogRefresh): void {
  const names = failed.map(({ name }) => name);
  void showToast({
    tone: failed.length > 0 ? 'warn' : 'good',
    title:
      failed.length === 0 ? 'The catalog is up to date' : `${failed.length} of ${asked} could not be asked`,
    text:
      failed.length === 0
        ? `All ${asked} publishers have answered.`
        : `${[...new Set(names)].slice(0, 5).join(', ')}${names.length > 5 ? ' and more' : ''}: what was known before stays.`,
  });
}
/** Asks the publishers what they offer now. */
export async function refreshCatalog(): Promise<void> {
  const answer = await attempt(() => trpc().images.refreshCatalog.mutate({}));
  if (answer) tellRefresh(answer);
}

function tellLook({ found, incomplete, notLookedAt }: ImageLook): void {
  const rest = [
    incomplete.length > 0 ? `There is more on ${incomplete.join(', ')} than a search goes through.` : '',
    notLookedAt.length > 0 ? `Not searched: ${notLookedAt.join(', ')}.` : '',
  ].filter(Boolean);
  void showToast({
    tone: rest.length > 0 ? 'warn' : found > 0 ? 'good' : 'quiet',
    title: found === 0 ? 'Nothing new was found' : found === 1 ? '1 new image' : `${found} new images`,
    text: rest.join(' '),
  });
}

/** Searches the pools for what somebody put there. */
export async function lookForImages(): Promise<void> {
  const answer = await attempt(() => trpc().images.look.mutate());
  if (answer) tellLook(answer);
}
export const whyNotLook = (live: Live, access: Access): string | null =>
  access.why('operator') ??
  ([...live.pools.values()].some(({ mounted }) => mounted)
    ? null
    : 'There is no pool to look on. Make one, or mount one, first.');
