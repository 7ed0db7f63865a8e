import { installPlugin, listPlugins } from '$lib/server/rest/plugins';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listPlugins;
export const POST = installPlugin;
export const fallback = notAllowed('GET', 'POST');
