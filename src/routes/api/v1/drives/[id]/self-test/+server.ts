import { startSelfTest } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = startSelfTest;
export const fallback = notAllowed('POST');
