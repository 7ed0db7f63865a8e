import { mountPool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = mountPool;
export const fallback = notAllowed('POST');
