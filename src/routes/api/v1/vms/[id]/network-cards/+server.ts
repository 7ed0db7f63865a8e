import { notAllowed } from '$lib/server/rest/unknown';
import { addVmCard } from '$lib/server/rest/vm-hardware';

export const POST = addVmCard;
export const fallback = notAllowed('POST');
