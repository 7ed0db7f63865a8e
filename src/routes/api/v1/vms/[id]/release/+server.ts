import { releaseVm } from '$lib/server/rest/found-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = releaseVm;
export const fallback = notAllowed('POST');
