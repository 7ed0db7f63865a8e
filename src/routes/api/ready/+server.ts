import { readiness } from '$lib/server/rest/health';

export const GET = readiness;
