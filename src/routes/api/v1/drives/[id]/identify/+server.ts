import { identifyDrive } from '$lib/server/rest/drives';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = identifyDrive;
export const fallback = notAllowed('POST');
