import { poolValidation } from '$lib/server/rest/found-pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = poolValidation;
export const fallback = notAllowed('GET');
