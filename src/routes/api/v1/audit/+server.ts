import { listAudit } from '$lib/server/rest/audit';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listAudit;
export const fallback = notAllowed('GET');
