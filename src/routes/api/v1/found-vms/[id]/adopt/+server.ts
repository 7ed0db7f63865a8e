import { adoptVm } from '$lib/server/rest/found-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = adoptVm;
export const fallback = notAllowed('POST');
