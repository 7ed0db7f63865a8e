import { notAllowed } from '$lib/server/rest/unknown';
import { addVmDisk, listVmDisks } from '$lib/server/rest/vm-hardware';

export const GET = listVmDisks;
export const POST = addVmDisk;
export const fallback = notAllowed('GET, POST');
