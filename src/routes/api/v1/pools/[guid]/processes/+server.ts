import { poolProcesses } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = poolProcesses;
export const fallback = notAllowed('GET');
