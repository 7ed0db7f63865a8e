import { readiness } from '$lib/server/rest/health';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = readiness;
export const fallback = notAllowed('GET');
