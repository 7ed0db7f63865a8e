import { previewPoolChange } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewPoolChange;
export const fallback = notAllowed('POST');
