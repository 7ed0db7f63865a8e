import { notAllowed } from '$lib/server/rest/unknown';
import { retryCreation } from '$lib/server/rest/vms';

export const POST = retryCreation;
export const fallback = notAllowed('POST');
