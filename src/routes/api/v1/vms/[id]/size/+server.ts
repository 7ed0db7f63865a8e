import { notAllowed } from '$lib/server/rest/unknown';
import { resizeVm } from '$lib/server/rest/vms';

export const PUT = resizeVm;
export const fallback = notAllowed('PUT');
