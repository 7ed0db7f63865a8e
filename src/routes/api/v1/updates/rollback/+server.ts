import { notAllowed } from '$lib/server/rest/unknown';
import { rollBackUpdate } from '$lib/server/rest/updates';

export const POST = rollBackUpdate;
export const fallback = notAllowed('POST');
