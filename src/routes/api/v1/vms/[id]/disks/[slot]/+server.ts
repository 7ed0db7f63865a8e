import { notAllowed } from '$lib/server/rest/unknown';
import { removeVmDisk } from '$lib/server/rest/vm-hardware';

export const DELETE = removeVmDisk;
export const fallback = notAllowed('DELETE');
