import { cancelOperation } from '$lib/server/rest/operations';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = cancelOperation;
export const fallback = notAllowed('POST');
