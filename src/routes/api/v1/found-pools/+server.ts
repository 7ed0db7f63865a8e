import { listFound } from '$lib/server/rest/found-pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listFound;
export const fallback = notAllowed('GET');
