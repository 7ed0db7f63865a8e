import { releasePool } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = releasePool;
export const fallback = notAllowed('POST');
