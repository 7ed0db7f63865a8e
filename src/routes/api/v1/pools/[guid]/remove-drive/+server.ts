import { removeDrive } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = removeDrive;
export const fallback = notAllowed('POST');
