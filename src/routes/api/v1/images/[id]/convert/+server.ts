import { convertImage } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = convertImage;
export const fallback = notAllowed('POST');
