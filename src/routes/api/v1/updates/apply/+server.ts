import { notAllowed } from '$lib/server/rest/unknown';
import { applyUpdate } from '$lib/server/rest/updates';

export const POST = applyUpdate;
export const fallback = notAllowed('POST');
