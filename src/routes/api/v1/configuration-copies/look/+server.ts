import { postConfigurationLook } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = postConfigurationLook;
export const fallback = notAllowed('POST');
