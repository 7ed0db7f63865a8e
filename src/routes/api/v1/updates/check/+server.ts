import { notAllowed } from '$lib/server/rest/unknown';
import { checkUpdates } from '$lib/server/rest/updates';

export const POST = checkUpdates;
export const fallback = notAllowed('POST');
