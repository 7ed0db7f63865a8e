import { getConfigurationCopies, postConfigurationCopies } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getConfigurationCopies;
export const POST = postConfigurationCopies;
export const fallback = notAllowed('GET', 'POST');
