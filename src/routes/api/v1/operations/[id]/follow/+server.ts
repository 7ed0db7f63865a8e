import { operationFollow } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = operationFollow;
export const fallback = notAllowed('GET');
