import { notAllowed } from '$lib/server/rest/unknown';
import { previewUpdate } from '$lib/server/rest/updates';

export const POST = previewUpdate;
export const fallback = notAllowed('POST');
