import { sendPlugin, stagePlugin } from '$lib/server/rest/plugins';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = stagePlugin;
export const PUT = sendPlugin;
export const fallback = notAllowed('POST', 'PUT');
