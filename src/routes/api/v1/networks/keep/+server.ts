import { postKeepNetwork } from '$lib/server/rest/networks';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = postKeepNetwork;
export const fallback = notAllowed('POST');
