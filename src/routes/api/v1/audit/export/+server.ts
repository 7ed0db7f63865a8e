import { exportAudit } from '$lib/server/rest/audit';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = exportAudit;
export const fallback = notAllowed('GET');
