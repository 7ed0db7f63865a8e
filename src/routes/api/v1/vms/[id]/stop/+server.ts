import { notAllowed } from '$lib/server/rest/unknown';
import { stopVm } from '$lib/server/rest/vms';

export const POST = stopVm;
export const fallback = notAllowed('POST');
