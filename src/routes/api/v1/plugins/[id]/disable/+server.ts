import { disablePlugin } from '$lib/server/rest/plugins';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = disablePlugin;
export const fallback = notAllowed('POST');
