/** Snapshots on top of a storage stack, with a clock that a test moves. */
import type { Clock } from '$lib/server/clock';
import { createLog } from '$lib/server/log';
import { defineSnapshotOperations } from '$lib/server/snapshots/operations';
import { createScheduler, type Scheduler } from '$lib/server/snapshots/scheduler';
import { createSnapshots, type Snapshots } from '$lib/server/snapshots/snapshots';
import type { Operation } from '$lib/shared/wire/operations';
import { createStorageStack, type StackOptions, type StorageStack } from './storage-stack';

export interface SnapshotStack extends StorageStack {
  snapshots: Snapshots;
  scheduler: Scheduler;
  /** Moves the clock of snapshots and their schedules on. */
  advance(ms: number): void;
  now(): number;
  take(guid: string, name: string): Promise<Operation>;
  removeSnapshot(guid: string, name: string): Promise<Operation>;
  rollBack(guid: string, name: string): Promise<Operation>;
  names(guid: string): Promise<string[]>;
}

export async function createSnapshotStack(options: StackOptions = {}): Promise<SnapshotStack> {
  const stack = await createStorageStack(options);
  let offset = 0;
  const clock: Clock = { now: () => Date.now() + offset, elapsed: () => performance.now() };
  const log = createLog('silent');
  const parts = { ...stack, clock, log };
  defineSnapshotOperations(stack.operations, parts);
  const snapshots = createSnapshots(parts);
  const scheduler = createScheduler({ ...parts, snapshots });
  snapshots.start();
  const run = async (kind: string, poolGroupGuid: string, name: string): Promise<Operation> => {
    const operation = await stack.run(`pool.snapshot.${kind}`, { poolGroupGuid, name });
    await snapshots.read(poolGroupGuid);
    return operation;
  };
  return {
    ...stack,
    snapshots,
    scheduler,
    advance: (ms) => void (offset += ms),
    now: () => clock.now(),
    take: (guid, name) => run('create', guid, name),
    removeSnapshot: (guid, name) => run('delete', guid, name),
    rollBack: (guid, name) => run('roll-back', guid, name),
    names: async (guid) => (await snapshots.read(guid)).snapshots.map(({ name }) => name),
    async close() {
      await snapshots.stop();
      await stack.close();
    },
  };
}
