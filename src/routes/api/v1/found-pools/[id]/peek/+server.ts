import { peekFound } from '$lib/server/rest/found-pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = peekFound;
export const fallback = notAllowed('POST');
