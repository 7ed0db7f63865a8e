import { previewSnapshotChange } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewSnapshotChange;
export const fallback = notAllowed('POST');
