import { renamePool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = renamePool;
export const fallback = notAllowed('POST');
