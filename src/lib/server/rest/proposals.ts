/** `/api/v1/proposals`: an operation that a program asks for and a person decides about. */
import { z } from 'zod';
import { proposalRequest } from '$lib/shared/wire/proposals';
import { answer, json } from './answer';
import { readJson } from './body';

export const listProposals = answer('viewer', ({ services }) =>
  json({ proposals: services.proposals.list() }),
);
export const postProposal = answer(
  'operator',
  async ({ services, actor, event }) => {
    const request = proposalRequest.parse(await readJson(event.request));
    return json(await services.proposals.propose(actor, request), 201);
  },
  { body: proposalRequest },
);
const approveBody = z.strictObject({ confirmCode: z.string().max(200).nullish() });
export const approveProposal = answer(
  'operator',
  async ({ services, actor, event, param }) => {
    const { confirmCode } = approveBody.parse(await readJson(event.request));
    return json(await services.proposals.approve(param('id'), actor, confirmCode ?? null), 202);
  },
  { body: approveBody },
);
export const rejectProposal = answer('operator', ({ services, actor, param }) =>
  json(services.proposals.reject(param('id'), actor)),
);
