import { getOpenApi } from '$lib/server/rest/openapi';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getOpenApi;
export const fallback = notAllowed('GET');
