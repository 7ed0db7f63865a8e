import { rebuildReplacement } from '$lib/server/rest/replacements';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = rebuildReplacement;
export const fallback = notAllowed('POST');
