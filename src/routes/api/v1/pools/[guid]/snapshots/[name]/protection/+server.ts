import { deleteProtection, putProtection } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = putProtection;
export const DELETE = deleteProtection;
export const fallback = notAllowed('PUT', 'DELETE');
