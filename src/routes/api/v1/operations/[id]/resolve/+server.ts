import { resolveOperation } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = resolveOperation;
export const fallback = notAllowed('POST');
