import { replaceDrive } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = replaceDrive;
export const fallback = notAllowed('POST');
