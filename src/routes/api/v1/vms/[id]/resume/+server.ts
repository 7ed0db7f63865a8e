import { notAllowed } from '$lib/server/rest/unknown';
import { resumeVm } from '$lib/server/rest/vms';

export const POST = resumeVm;
export const fallback = notAllowed('POST');
