import { notAllowed } from '$lib/server/rest/unknown';
import { removeVmCard } from '$lib/server/rest/vm-hardware';

export const DELETE = removeVmCard;
export const fallback = notAllowed('DELETE');
