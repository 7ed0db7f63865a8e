import { notAllowed } from '$lib/server/rest/unknown';
import { moveVmCard, removeVmCard } from '$lib/server/rest/vm-hardware';

export const DELETE = removeVmCard;
export const PUT = moveVmCard;
export const fallback = notAllowed('DELETE', 'PUT');
