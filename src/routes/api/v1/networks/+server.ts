import { listNetworks } from '$lib/server/rest/networks';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listNetworks;
export const fallback = notAllowed('GET');
