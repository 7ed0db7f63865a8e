import { health } from '$lib/server/rest/health';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = health;
export const fallback = notAllowed('GET');
