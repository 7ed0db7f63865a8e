import { addDrive } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = addDrive;
export const fallback = notAllowed('POST');
