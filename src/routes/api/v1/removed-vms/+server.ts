import { listRemovedVms } from '$lib/server/rest/removed-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listRemovedVms;
export const fallback = notAllowed('GET');
