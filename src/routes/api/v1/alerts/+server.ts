import { listAlerts } from '$lib/server/rest/alerts';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listAlerts;
export const fallback = notAllowed('GET');
