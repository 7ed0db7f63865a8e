import { notAllowed } from '$lib/server/rest/unknown';
import { startVm } from '$lib/server/rest/vms';

export const POST = startVm;
export const fallback = notAllowed('POST');
