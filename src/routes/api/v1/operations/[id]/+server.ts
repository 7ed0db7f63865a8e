import { getOperation } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getOperation;
export const fallback = notAllowed('GET');
