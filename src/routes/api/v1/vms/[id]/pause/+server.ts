import { notAllowed } from '$lib/server/rest/unknown';
import { pauseVm } from '$lib/server/rest/vms';

export const POST = pauseVm;
export const fallback = notAllowed('POST');
