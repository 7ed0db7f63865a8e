/** Every state word the product uses, in one place; the database, the API and the UI share them. */

/**
 * What the user's operations made of a pool. Never what the machine says now: that is {@link PoolStatus}.
 * A pool whose creation failed has no row any more; its state `failed` is derived from its last operation.
 */
export const POOL_STATES = [
  'creating',
  'ready',
  'unmounted',
  'error',
  'deleting',
  'failed',
  'deleted',
] as const;
export type PoolState = (typeof POOL_STATES)[number];

/** What the machine says about a pool at this moment. `null` in an answer means: cannot be asked now. */
export const POOL_STATUSES = ['active', 'degraded', 'resync', 'inactive', 'failed', 'missing'] as const;
export type PoolStatus = (typeof POOL_STATUSES)[number];

export const HEALTHS = ['healthy', 'warning', 'critical', 'unknown'] as const;
export type Health = (typeof HEALTHS)[number];

export const MEMBER_STATUSES = ['active', 'missing', 'faulty', 'rebuilding', 'spare', 'unknown'] as const;
export type MemberStatus = (typeof MEMBER_STATUSES)[number];

/** What a drive is to its pool. Only `data` counts for capacity and tolerance. */
export const DRIVE_ROLES = ['data', 'spare', 'cache', 'log'] as const;
export type DriveRole = (typeof DRIVE_ROLES)[number];

/** What can happen to a pool, for its history. `outside`: changed by something else than Cairn. */
export const POOL_EVENT_KINDS = ['operation', 'degraded', 'recovered', 'scrub', 'work', 'outside'] as const;
export type PoolEventKind = (typeof POOL_EVENT_KINDS)[number];

/** `running`, `undoing` and `needs-attention` are live and hold their locks; the others have ended. */
export const OPERATION_STATES = [
  'running',
  'undoing',
  'needs-attention',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];
export const LIVE_OPERATION_STATES = ['running', 'undoing', 'needs-attention'] as const;
export const isLive = (state: OperationState): boolean =>
  (LIVE_OPERATION_STATES as readonly string[]).includes(state);

/**
 * pending → begun (intent committed) → acting (the act may have started) → done | skipped;
 * back: undoing → undone. `kept` is a step that has no way back (its undo is 'impossible') or needs none.
 */
export const STEP_STATES = [
  'pending',
  'begun',
  'acting',
  'done',
  'skipped',
  'failed',
  'undoing',
  'undone',
  'kept',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** What recovery decided about an operation that a crash interrupted. */
export const VERDICTS = ['finished-anyway', 'continued', 'taken-back', 'needs-you'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
/** True when `role` may do what asks for `needed`. */
export const roleAllows = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);
