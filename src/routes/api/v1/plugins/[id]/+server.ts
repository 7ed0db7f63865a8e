import { removePlugin } from '$lib/server/rest/plugins';
import { notAllowed } from '$lib/server/rest/unknown';

export const DELETE = removePlugin;
export const fallback = notAllowed('DELETE');
