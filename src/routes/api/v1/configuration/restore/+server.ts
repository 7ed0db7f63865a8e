import { getConfigurationRestore, postConfigurationRestore } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getConfigurationRestore;
export const POST = postConfigurationRestore;
export const fallback = notAllowed('GET', 'POST');
