import { notAllowed } from '$lib/server/rest/unknown';
import { deleteVmProtection, putVmProtection } from '$lib/server/rest/vms';

export const PUT = putVmProtection;
export const DELETE = deleteVmProtection;
export const fallback = notAllowed('PUT, DELETE');
