import { getBoot } from '$lib/server/rest/boots';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getBoot;
export const fallback = notAllowed('GET');
