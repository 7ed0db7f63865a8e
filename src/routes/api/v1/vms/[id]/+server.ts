import { notAllowed } from '$lib/server/rest/unknown';
import { getVm, removeVm } from '$lib/server/rest/vms';

export const GET = getVm;
export const DELETE = removeVm;
export const fallback = notAllowed('GET, DELETE');
