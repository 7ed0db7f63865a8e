import { previewBridge } from '$lib/server/rest/networks';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewBridge;
export const fallback = notAllowed('POST');
