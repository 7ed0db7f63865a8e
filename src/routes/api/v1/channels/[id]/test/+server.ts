import { testChannel } from '$lib/server/rest/notifications';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = testChannel;
export const fallback = notAllowed('POST');
