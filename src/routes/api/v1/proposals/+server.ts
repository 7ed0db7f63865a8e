import { listProposals, postProposal } from '$lib/server/rest/proposals';
import { notAllowed } from '$lib/server/rest/unknown';

export const GET = listProposals;
export const POST = postProposal;
export const fallback = notAllowed('GET', 'POST');
