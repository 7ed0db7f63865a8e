import { lookForImages } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = lookForImages;
export const fallback = notAllowed('POST');
