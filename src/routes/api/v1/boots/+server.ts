import { listBoots } from '$lib/server/rest/boots';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listBoots;
export const fallback = notAllowed('GET');
