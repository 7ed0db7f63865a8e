/** A schedule of snapshots that fails. It is over with the next run that succeeds, or when the schedule goes. Pure. */
import type { Pool } from '$lib/shared/wire/pools';
import type { PoolSnapshots } from '$lib/shared/wire/snapshots';
import type { Condition } from './condition';

export function scheduleConditions(all: PoolSnapshots[], pools: Pool[]): Condition[] {
  return all.flatMap(({ id, schedules }) => {
    const pool = pools.find(({ guid }) => guid === id);
    return schedules.flatMap(({ tier, enabled, lastError }): Condition[] =>
      pool && enabled && lastError !== null
        ? [
            {
              id: `pool:${id}:snapshot-schedule:${tier}`,
              kind: 'pool.snapshot-schedule',
              severity: 'warning',
              subject: { type: 'pool', id, label: pool.label },
              title: `The ${tier} snapshots of pool "${pool.label}" fail`,
              text: lastError,
              remedy: 'Open the pool and take a snapshot by hand: it says what is in the way.',
            },
          ]
        : [],
    );
  });
}
