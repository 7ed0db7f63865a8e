import { notAllowed } from '$lib/server/rest/unknown';
import { skipUpdate } from '$lib/server/rest/updates';

export const POST = skipUpdate;
export const fallback = notAllowed('POST');
