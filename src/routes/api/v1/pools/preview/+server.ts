import { previewPool } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewPool;
export const fallback = notAllowed('POST');
