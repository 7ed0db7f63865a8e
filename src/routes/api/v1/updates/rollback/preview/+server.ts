import { notAllowed } from '$lib/server/rest/unknown';
import { previewRollBack } from '$lib/server/rest/updates';

export const POST = previewRollBack;
export const fallback = notAllowed('POST');
