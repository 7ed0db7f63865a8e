import { changeEntry, removeEntry } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = changeEntry;
export const DELETE = removeEntry;
export const fallback = notAllowed('PUT, DELETE');
