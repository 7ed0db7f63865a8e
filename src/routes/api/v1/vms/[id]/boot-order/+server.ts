import { notAllowed } from '$lib/server/rest/unknown';
import { putVmBootOrder } from '$lib/server/rest/vm-hardware';

export const PUT = putVmBootOrder;
export const fallback = notAllowed('PUT');
