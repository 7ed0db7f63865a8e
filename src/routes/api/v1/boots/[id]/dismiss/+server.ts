import { dismissBoot } from '$lib/server/rest/boots';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = dismissBoot;
export const fallback = notAllowed('POST');
