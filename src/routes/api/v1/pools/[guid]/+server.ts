import { getPool, deletePool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getPool;
export const DELETE = deletePool;
export const fallback = notAllowed('GET', 'DELETE');
