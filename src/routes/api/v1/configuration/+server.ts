import { getConfiguration } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getConfiguration;
export const fallback = notAllowed('GET');
