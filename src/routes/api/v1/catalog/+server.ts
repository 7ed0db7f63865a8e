import { addEntry, listEntries } from '$lib/server/rest/images';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listEntries;
export const POST = addEntry;
export const fallback = notAllowed('GET, POST');
