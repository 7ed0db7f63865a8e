import { expandPool } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = expandPool;
export const fallback = notAllowed('POST');
