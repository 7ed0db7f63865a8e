import { enablePlugin } from '$lib/server/rest/plugins';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = enablePlugin;
export const fallback = notAllowed('POST');
