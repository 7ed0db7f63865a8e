import { reAddDrive } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = reAddDrive;
export const fallback = notAllowed('POST');
