import { listSnapshots, postSnapshot } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listSnapshots;
export const POST = postSnapshot;
export const fallback = notAllowed('GET', 'POST');
