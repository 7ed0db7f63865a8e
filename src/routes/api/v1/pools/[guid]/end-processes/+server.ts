import { endPoolProcesses } from '$lib/server/rest/pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = endPoolProcesses;
export const fallback = notAllowed('POST');
