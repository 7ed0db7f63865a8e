import { rollBack } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = rollBack;
export const fallback = notAllowed('POST');
