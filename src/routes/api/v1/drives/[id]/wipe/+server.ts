import { wipeDrive } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = wipeDrive;
export const fallback = notAllowed('POST');
