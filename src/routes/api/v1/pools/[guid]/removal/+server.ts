import { previewRemoval } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = previewRemoval;
export const fallback = notAllowed('GET');
