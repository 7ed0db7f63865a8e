import { health } from '$lib/server/rest/health';

export const GET = health;
