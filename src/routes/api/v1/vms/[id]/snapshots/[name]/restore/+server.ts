import { notAllowed } from '$lib/server/rest/unknown';
import { restoreVmSnapshot } from '$lib/server/rest/vm-snapshots';

export const POST = restoreVmSnapshot;
export const fallback = notAllowed('POST');
