import { postBridge } from '$lib/server/rest/networks';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = postBridge;
export const fallback = notAllowed('POST');
