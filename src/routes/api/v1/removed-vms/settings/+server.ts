import { putRemovedVmSettings } from '$lib/server/rest/removed-vms';
import { notAllowed } from '$lib/server/rest/unknown';

export const PUT = putRemovedVmSettings;
export const fallback = notAllowed('PUT');
