import { postVmExport } from '$lib/server/rest/vm-export';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = postVmExport;
export const fallback = notAllowed('POST');
