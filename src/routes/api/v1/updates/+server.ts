import { getUpdates } from '$lib/server/rest/updates';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getUpdates;
export const fallback = notAllowed('GET');
