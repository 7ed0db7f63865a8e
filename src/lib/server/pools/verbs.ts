/** Which verbs a pool takes now, and why not: the same answer disables a button and refuses a request. Pure. */
import type { PoolReading, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { PoolState } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import { CHANGE_VERBS, type ChangeVerb } from '$lib/shared/wire/pool-changes';
import type { Pool, PoolVerb, VerbState } from '$lib/shared/wire/pools';
import { refusalOf } from './change-rules';

export interface VerbFacts {
  state: PoolState;
  mounted: boolean;
  /** Live operation on the pool. */
  operation: Pick<Operation, 'title' | 'percent' | 'state' | 'canCancel'> | null;
  plugin: StoragePlugin | null;
  /** Why the plugin cannot be used; null when it can. */
  unavailable: string | null;
  /** Drives that are not there, and how many the layout survives. */
  missing: string[];
  tolerance: number;
  spec: PoolSpec;
  reading: PoolReading | null;
  /** Why the machine that holds it cannot be reached; null: it can, or it is on drives. */
  gone?: string | null;
}

const allowed: VerbState = { allowed: true, why: null };
const refused = (why: string): VerbState => ({ allowed: false, why });

function busy(facts: VerbFacts): string | null {
  const { operation, state } = facts;
  if (operation?.state === 'needs-attention') return `"${operation.title}" waits for your decision.`;
  if (operation) return `"${operation.title}" is at work (${operation.percent} %). Wait until it has ended.`;
  if (state === 'creating' || state === 'deleting')
    return `The pool is ${state}; its operation is about to be looked at.`;
  return facts.unavailable;
}

function mount({ mounted, missing, tolerance, plugin, gone }: VerbFacts): VerbState {
  if (!plugin?.mount) return refused('Its plugin cannot mount pools.');
  if (mounted) return refused('It is mounted already.');
  if (missing.length > tolerance)
    return refused(`Drive ${missing.join(', ')} is not there. Plug it in again first.`);
  if (gone) return refused(gone);
  return allowed;
}
function unmount({ mounted, plugin }: VerbFacts): VerbState {
  if (!plugin?.unmount) return refused('Its plugin cannot unmount pools.');
  return mounted ? allowed : refused('It is not mounted.');
}
function rename({ mounted, plugin, state }: VerbFacts): VerbState {
  if (!plugin?.rename) return refused('Its plugin cannot rename pools.');
  if (state !== 'ready' || !mounted) return refused('Mount it first: the new label is also written into it.');
  return allowed;
}
function remove(facts: VerbFacts): VerbState {
  // A creation that can be cancelled is removed by cancelling it.
  if (facts.state === 'creating' && facts.operation?.canCancel) return allowed;
  const why = busy(facts);
  return why ? refused(why) : allowed;
}

function release({ plugin }: VerbFacts): VerbState {
  return plugin?.release || plugin?.unmount ? allowed : refused('Its plugin cannot let go of pools.');
}
const change =
  (verb: ChangeVerb) =>
  ({ plugin, spec, reading }: VerbFacts): VerbState => {
    const why = plugin ? refusalOf(verb, { plugin, spec, reading }) : 'Its plugin is not there.';
    return why ? refused(why) : allowed;
  };

export function verbsOf(facts: VerbFacts): Pool['verbs'] {
  const why = busy(facts);
  const unless = (verb: (of: VerbFacts) => VerbState): VerbState => (why ? refused(why) : verb(facts));
  return {
    mount: unless(mount),
    unmount: unless(unmount),
    rename: unless(rename),
    remove: remove(facts),
    release: unless(release),
    ...(Object.fromEntries(CHANGE_VERBS.map((verb) => [verb, unless(change(verb))])) as Record<
      ChangeVerb,
      VerbState
    >),
  } satisfies Record<PoolVerb, VerbState>;
}
