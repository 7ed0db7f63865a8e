import { adoptFound } from '$lib/server/rest/found-pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = adoptFound;
export const fallback = notAllowed('POST');
