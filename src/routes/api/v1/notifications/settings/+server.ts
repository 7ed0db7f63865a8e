import { changeSettings } from '$lib/server/rest/notifications';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = changeSettings;
export const fallback = notAllowed('PUT');
