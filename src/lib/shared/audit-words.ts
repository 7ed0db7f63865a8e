/** What the audit log tells apart. */
export const AUDIT_KINDS = ['change', 'sign-in', 'denied'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** begun: under way now; interrupted: Cairn ended before the call did, so what it changed is not known from here. */
export const AUDIT_OUTCOMES = ['begun', 'done', 'refused', 'denied', 'failed', 'interrupted'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];
