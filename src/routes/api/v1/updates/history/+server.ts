import { notAllowed } from '$lib/server/rest/unknown';
import { listUpdates } from '$lib/server/rest/updates';

export const GET = listUpdates;
export const fallback = notAllowed('GET');
