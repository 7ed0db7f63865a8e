import { notAllowed } from '$lib/server/rest/unknown';
import { resetVm } from '$lib/server/rest/vms';

export const POST = resetVm;
export const fallback = notAllowed('POST');
