import { listImages, startDownload } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listImages;
export const POST = startDownload;
export const fallback = notAllowed('GET, POST');
