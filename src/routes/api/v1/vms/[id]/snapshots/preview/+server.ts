import { notAllowed } from '$lib/server/rest/unknown';
import { previewVmSnapshot } from '$lib/server/rest/vm-snapshots';

export const POST = previewVmSnapshot;
export const fallback = notAllowed('POST');
