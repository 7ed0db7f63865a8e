import { listDrives } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listDrives;
export const fallback = notAllowed('GET');
