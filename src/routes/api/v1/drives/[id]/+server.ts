import { getDrive } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getDrive;
export const fallback = notAllowed('GET');
