/** Who did what, from where, and how it ended; administrators only. */
import { z } from 'zod';
import { AUDIT_KINDS, AUDIT_OUTCOMES, type AuditKind, type AuditOutcome } from '../audit-words';
import type { Json } from '../json';
import type { Actor } from './session';

export interface AuditEntry {
  id: number;
  kind: AuditKind;
  /** Milliseconds since the epoch. */
  at: number;
  endedAt: number | null;
  actorKind: Actor['kind'] | 'nobody';
  actorId: string | null;
  actorName: string;
  address: string;
  userAgent: string;
  /** `pools.create`, or `POST /api/v1/pools`. */
  what: string;
  /** What was sent, without anything that may be secret. */
  input: Json;
  outcome: AuditOutcome;
  code: string | null;
  operationId: string | null;
  /** More than one: the same call, denied this often within a minute. */
  times: number;
}
export interface AuditPage {
  items: AuditEntry[];
  nextBefore: number | null;
}

const text = z.string().trim().max(200).optional();
export const auditFilter = z.strictObject({
  /** Part of the name of a user or key, or of an address. */
  who: text,
  /** Part of the call's name. */
  what: text,
  kind: z.enum(AUDIT_KINDS).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  /** Milliseconds since the epoch, both included. */
  from: z.coerce.number().int().min(0).optional(),
  until: z.coerce.number().int().min(0).optional(),
});
export type AuditFilter = z.infer<typeof auditFilter>;

export const auditQuery = auditFilter.extend({
  before: z.coerce.number().int().min(1).nullish(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type AuditQuery = z.infer<typeof auditQuery>;

export const auditExportQuery = auditFilter.extend({ format: z.enum(['csv', 'jsonl']).default('jsonl') });
