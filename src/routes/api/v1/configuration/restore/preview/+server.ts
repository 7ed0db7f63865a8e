import { previewConfigurationRestore } from '$lib/server/rest/configuration';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = previewConfigurationRestore;
export const fallback = notAllowed('POST');
