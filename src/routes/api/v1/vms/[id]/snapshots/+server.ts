import { notAllowed } from '$lib/server/rest/unknown';
import { listVmSnapshots, takeVmSnapshot } from '$lib/server/rest/vm-snapshots';

export const GET = listVmSnapshots;
export const POST = takeVmSnapshot;
export const fallback = notAllowed('GET', 'POST');
