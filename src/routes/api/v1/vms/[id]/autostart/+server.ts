import { notAllowed } from '$lib/server/rest/unknown';
import { putVmAutostart } from '$lib/server/rest/vms';

export const PUT = putVmAutostart;
export const fallback = notAllowed('PUT');
