import { balancePool } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = balancePool;
export const fallback = notAllowed('POST');
