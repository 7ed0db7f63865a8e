import { notAllowed } from '$lib/server/rest/unknown';
import { previewVmPlan } from '$lib/server/rest/vms';

export const POST = previewVmPlan;
export const fallback = notAllowed('POST');
