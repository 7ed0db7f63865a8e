import { notAllowed } from '$lib/server/rest/unknown';
import { discardVmMemory } from '$lib/server/rest/vms';

export const DELETE = discardVmMemory;
export const fallback = notAllowed('DELETE');
