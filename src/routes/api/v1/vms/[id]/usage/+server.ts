import { notAllowed } from '$lib/server/rest/unknown';
import { getVmUsage } from '$lib/server/rest/vms';

export const GET = getVmUsage;
export const fallback = notAllowed('GET');
