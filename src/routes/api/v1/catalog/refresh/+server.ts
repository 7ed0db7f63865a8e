import { refreshCatalog } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = refreshCatalog;
export const fallback = notAllowed('POST');
