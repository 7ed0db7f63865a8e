import { createChannel, listChannels } from '$lib/server/rest/notifications';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listChannels;
export const POST = createChannel;
export const fallback = notAllowed('GET', 'POST');
