import { listFoundVms } from '$lib/server/rest/found-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listFoundVms;
export const fallback = notAllowed('GET');
