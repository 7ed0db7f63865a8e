import { deleteSchedule, putSchedule } from '$lib/server/rest/snapshots';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = putSchedule;
export const DELETE = deleteSchedule;
export const fallback = notAllowed('PUT', 'DELETE');
