import { operationOutputs } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = operationOutputs;
export const fallback = notAllowed('GET');
