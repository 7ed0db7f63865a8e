import { notAllowed } from '$lib/server/rest/unknown';
import { waitForMachine } from '$lib/server/rest/vms';

export const GET = waitForMachine;
export const fallback = notAllowed('GET');
