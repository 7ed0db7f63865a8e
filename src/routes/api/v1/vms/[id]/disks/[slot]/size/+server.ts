import { notAllowed } from '$lib/server/rest/unknown';
import { growVmDisk } from '$lib/server/rest/vm-hardware';

export const PUT = growVmDisk;
export const fallback = notAllowed('PUT');
