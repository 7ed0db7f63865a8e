import { listSchedules } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listSchedules;
export const fallback = notAllowed('GET');
