import { forgetImage } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = forgetImage;
export const fallback = notAllowed('POST');
