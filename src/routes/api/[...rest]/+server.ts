import { unknownAddress } from '$lib/server/rest/unknown';

export const fallback = unknownAddress;
