import { getSystem } from '$lib/server/rest/system';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getSystem;
export const fallback = notAllowed('GET');
