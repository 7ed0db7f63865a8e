import { previewAdoption } from '$lib/server/rest/found-pools';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewAdoption;
export const fallback = notAllowed('POST');
