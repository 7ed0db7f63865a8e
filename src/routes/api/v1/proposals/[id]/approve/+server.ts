import { approveProposal } from '$lib/server/rest/proposals';
import { notAllowed } from '$lib/server/rest/unknown';

export const POST = approveProposal;
export const fallback = notAllowed('POST');
