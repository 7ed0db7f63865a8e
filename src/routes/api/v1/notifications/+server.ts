import { listNotifications } from '$lib/server/rest/notifications';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listNotifications;
export const fallback = notAllowed('GET');
