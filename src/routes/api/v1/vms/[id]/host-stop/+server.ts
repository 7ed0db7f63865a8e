import { notAllowed } from '$lib/server/rest/unknown';
import { putVmHostStop } from '$lib/server/rest/vms';

export const PUT = putVmHostStop;
export const fallback = notAllowed('PUT');
