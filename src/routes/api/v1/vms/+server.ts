import { notAllowed } from '$lib/server/rest/unknown';
import { listVms, postVm } from '$lib/server/rest/vms';

export const GET = listVms;
export const POST = postVm;
export const fallback = notAllowed('GET, POST');
