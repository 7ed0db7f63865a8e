import { getDoctor } from '$lib/server/rest/doctor';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getDoctor;
export const fallback = notAllowed('GET');
