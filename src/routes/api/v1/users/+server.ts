import { listUsers } from '$lib/server/rest/users';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listUsers;
export const fallback = notAllowed('GET');
