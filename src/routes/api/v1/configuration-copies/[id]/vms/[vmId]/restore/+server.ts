import { postConfigurationVm } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = postConfigurationVm;
export const fallback = notAllowed('POST');
