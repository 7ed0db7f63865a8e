import { notAllowed } from '$lib/server/rest/unknown';
import { deleteVmCd, putVmCd } from '$lib/server/rest/vm-hardware';

export const PUT = putVmCd;
export const DELETE = deleteVmCd;
export const fallback = notAllowed('PUT, DELETE');
