/** What a program asks a person to allow: an operation that has been planned and not begun. */
import { z } from 'zod';

export const PROPOSAL_STATES = ['waiting', 'approved', 'rejected'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

export interface Proposal {
  id: string;
  /** Kind of the operation: `pool.create`. */
  kind: string;
  title: string;
  /** Why, in the words of who proposes it. */
  note: string;
  proposedBy: string;
  createdAt: number;
  state: ProposalState;
  decidedBy: string | null;
  decidedAt: number | null;
  /** The operation that an approval began. */
  operationId: string | null;
}

export const proposalRequest = z.strictObject({
  kind: z.string().min(1).max(100),
  request: z.record(z.string(), z.json()),
  note: z.string().trim().max(500).default(''),
});
