import { acknowledgeAlert } from '$lib/server/rest/alerts';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = acknowledgeAlert;
export const fallback = notAllowed('POST');
