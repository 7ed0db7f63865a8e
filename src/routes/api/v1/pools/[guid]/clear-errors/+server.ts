import { clearPoolErrors } from '$lib/server/rest/pool-changes';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = clearPoolErrors;
export const fallback = notAllowed('POST');
