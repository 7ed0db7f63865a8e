import { previewReplacement } from '$lib/server/rest/replacements';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewReplacement;
export const fallback = notAllowed('POST');
