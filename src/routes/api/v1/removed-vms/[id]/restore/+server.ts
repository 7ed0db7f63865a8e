import { bringBackVm } from '$lib/server/rest/removed-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = bringBackVm;
export const fallback = notAllowed('POST');
