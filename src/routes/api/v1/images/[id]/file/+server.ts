import { getImageFile } from '$lib/server/rest/image-file';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getImageFile;
export const HEAD = getImageFile;
export const fallback = notAllowed('GET');
