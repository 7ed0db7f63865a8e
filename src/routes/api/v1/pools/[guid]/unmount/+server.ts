import { unmountPool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = unmountPool;
export const fallback = notAllowed('POST');
