import { operationScript } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = operationScript;
export const fallback = notAllowed('GET');
