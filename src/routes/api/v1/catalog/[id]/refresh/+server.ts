import { refreshEntry } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = refreshEntry;
export const fallback = notAllowed('POST');
