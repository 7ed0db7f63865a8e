import { notAllowed } from '$lib/server/rest/unknown';
import { postVmClone } from '$lib/server/rest/vms';

export const POST = postVmClone;
export const fallback = notAllowed('POST');
