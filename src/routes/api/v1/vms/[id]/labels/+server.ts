import { notAllowed } from '$lib/server/rest/unknown';
import { putVmLabels } from '$lib/server/rest/vms';

export const PUT = putVmLabels;
export const fallback = notAllowed('PUT');
