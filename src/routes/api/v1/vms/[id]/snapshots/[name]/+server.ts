import { notAllowed } from '$lib/server/rest/unknown';
import { deleteVmSnapshot } from '$lib/server/rest/vm-snapshots';

export const DELETE = deleteVmSnapshot;
export const fallback = notAllowed('DELETE');
