import { notAllowed } from '$lib/server/rest/unknown';
import { getVmCloudInit } from '$lib/server/rest/vms';

export const GET = getVmCloudInit;
export const fallback = notAllowed('GET');
