import { notAllowed } from '$lib/server/rest/unknown';
import { getVmDefinition } from '$lib/server/rest/vms';

export const GET = getVmDefinition;
export const fallback = notAllowed('GET');
