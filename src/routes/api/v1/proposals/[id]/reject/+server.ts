import { rejectProposal } from '$lib/server/rest/proposals';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = rejectProposal;
export const fallback = notAllowed('POST');
