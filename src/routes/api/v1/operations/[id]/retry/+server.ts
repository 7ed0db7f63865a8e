import { retryOperation } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = retryOperation;
export const fallback = notAllowed('POST');
