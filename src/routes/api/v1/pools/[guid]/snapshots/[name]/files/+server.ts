import { snapshotFiles } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = snapshotFiles;
export const fallback = notAllowed('GET');
