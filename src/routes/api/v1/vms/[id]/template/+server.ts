import { notAllowed } from '$lib/server/rest/unknown';
import { deleteVmTemplate, putVmTemplate } from '$lib/server/rest/vm-export';

export const PUT = putVmTemplate;
export const DELETE = deleteVmTemplate;
export const fallback = notAllowed('PUT, DELETE');
