import { listOperations } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listOperations;
export const fallback = notAllowed('GET');
