/**
 * Two kinds of locks. `pool:<guid>` belongs to one operation. `uses:pool:<guid>` is held by several at once, each of which
 * only needs the thing to stay as it is: a download into a pool, a machine that runs from it. Who wants the thing itself is
 * refused while one of them lives, and the other way round.
 */
/** Held by an operation that has to be alone: refuses everything that wants to begin. See alone.ts. */
export const EVERYTHING = 'everything';

const USES = 'uses:';

export const usesLock = (lock: string): string => `${USES}${lock}`;
const isUse = (lock: string): boolean => lock.startsWith(USES);

/** The lock that refuses this one when somebody holds it. */
export const wholeOf = (lock: string): string => (isUse(lock) ? lock.slice(USES.length) : lock);
/** How the rows begin of those who use it; none for a use: uses do not refuse each other. */
export const usersPrefix = (lock: string): string[] => (isUse(lock) ? [] : [`${USES}${lock}#`]);
/** The row that holds it: one for each operation that uses it. */
export const lockRow = (lock: string, operationId: string): string =>
  isUse(lock) ? `${lock}#${operationId}` : lock;
