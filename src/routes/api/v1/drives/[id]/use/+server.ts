import { getDriveUse } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getDriveUse;
export const fallback = notAllowed('GET');
