import { getSupportBundle } from '$lib/server/rest/support';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getSupportBundle;
export const fallback = notAllowed('GET');
