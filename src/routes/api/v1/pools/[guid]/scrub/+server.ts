import { scrubPool } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = scrubPool;
export const fallback = notAllowed('POST');
