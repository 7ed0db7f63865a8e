import { deleteSnapshot } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const DELETE = deleteSnapshot;
export const fallback = notAllowed('DELETE');
