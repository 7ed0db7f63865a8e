import { listPools, postPool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listPools;
export const POST = postPool;
export const fallback = notAllowed('GET', 'POST');
