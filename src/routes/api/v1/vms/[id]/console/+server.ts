import { notAllowed } from '$lib/server/rest/unknown';
import { openConsole } from '$lib/server/rest/vms';

export const POST = openConsole;
export const fallback = notAllowed('POST');
