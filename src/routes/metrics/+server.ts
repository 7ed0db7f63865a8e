import { getMetrics } from '$lib/server/rest/metrics';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getMetrics;
export const fallback = notAllowed('GET');
