import { getDriveHealth } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getDriveHealth;
export const fallback = notAllowed('GET');
