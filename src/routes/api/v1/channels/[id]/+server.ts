import { changeChannel, removeChannel } from '$lib/server/rest/notifications';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = changeChannel;
export const DELETE = removeChannel;
export const fallback = notAllowed('PUT', 'DELETE');
