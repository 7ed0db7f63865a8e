import { deleteBridge } from '$lib/server/rest/networks';
import { notAllowed } from '$lib/server/rest/unknown';

export const DELETE = deleteBridge;
export const fallback = notAllowed('DELETE');
