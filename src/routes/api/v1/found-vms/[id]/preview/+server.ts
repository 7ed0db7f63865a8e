import { previewVmAdoption } from '$lib/server/rest/found-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewVmAdoption;
export const fallback = notAllowed('POST');
