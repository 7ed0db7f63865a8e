import { notAllowed } from '$lib/server/rest/unknown';
import { saveVm } from '$lib/server/rest/vms';

export const POST = saveVm;
export const fallback = notAllowed('POST');
