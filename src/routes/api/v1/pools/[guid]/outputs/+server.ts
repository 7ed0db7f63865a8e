import { poolOutputs } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = poolOutputs;
export const fallback = notAllowed('GET');
