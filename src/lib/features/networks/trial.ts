/** A change of the network that goes on now. Pure. */
import type { Operation } from '$lib/shared/wire/operations';

/** As in shared/wire/network-changes.ts, which every page would have to load with it. */
const CHECK_IN = 'check-in';
const KIND = 'network.';

/** Whatever it is at. */
export const changeOf = (operations: Iterable<Operation>): Operation | null =>
  [...operations].find(
    ({ kind, state }) => kind.startsWith(KIND) && (state === 'running' || state === 'undoing'),
  ) ?? null;

/** What is tried, and taken back unless somebody keeps it. */
export const trialOf = (operations: Iterable<Operation>): Operation | null => {
  const change = changeOf(operations);
  const step = change?.steps.find(({ name }) => name === CHECK_IN);
  return change?.state === 'running' && (step?.state === 'begun' || step?.state === 'acting') ? change : null;
};
