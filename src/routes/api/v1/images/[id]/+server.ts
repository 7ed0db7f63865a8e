import { getImage, removeImage } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getImage;
export const DELETE = removeImage;
export const fallback = notAllowed('GET, DELETE');
