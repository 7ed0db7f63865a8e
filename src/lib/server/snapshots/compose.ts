/** Snapshots as one part of the daemon: their operations, what pages read, and the clock. */
import type { PoolDeps } from '../pools/deps';
import { defineSnapshotOperations } from './operations';
import { createScheduler, type Scheduler } from './scheduler';
import { createSnapshots, type SnapshotDeps, type Snapshots } from './snapshots';

export function composeSnapshots(deps: SnapshotDeps & PoolDeps): {
  snapshots: Snapshots;
  scheduler: Scheduler;
} {
  defineSnapshotOperations(deps.operations, deps);
  const snapshots = createSnapshots(deps);
  return { snapshots, scheduler: createScheduler({ ...deps, snapshots }) };
}
