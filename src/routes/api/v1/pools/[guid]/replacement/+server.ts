import {
  beginReplacement,
  chooseReplacement,
  endReplacement,
  getReplacement,
} from '$lib/server/rest/replacements';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = getReplacement;
export const POST = beginReplacement;
export const PATCH = chooseReplacement;
export const DELETE = endReplacement;
export const fallback = notAllowed('GET', 'POST', 'PATCH', 'DELETE');
