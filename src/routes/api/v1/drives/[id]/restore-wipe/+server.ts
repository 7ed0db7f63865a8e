import { restoreWipe } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = restoreWipe;
export const fallback = notAllowed('POST');
