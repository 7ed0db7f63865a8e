import { getConfigurationCopy } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getConfigurationCopy;
export const fallback = notAllowed('GET');
