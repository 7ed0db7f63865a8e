import { emptyRemovedVm, getRemovedVm } from '$lib/server/rest/removed-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getRemovedVm;
export const DELETE = emptyRemovedVm;
export const fallback = notAllowed('GET, DELETE');
