import { startUpload } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = startUpload;
export const fallback = notAllowed('POST');
