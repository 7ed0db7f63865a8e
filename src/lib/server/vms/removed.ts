/** Machines that were removed, as pages show them, and those whose time is over. */
import { type RemovedVm, type RemovedVms } from '$lib/shared/wire/removed-vms';
import { LONGEST_KEEP_DAYS } from '$lib/shared/vm-limits';
import { promisedDiskBytes } from './accounts';
import { issue, issuesError, toAppError } from '../errors';
import { CAIRN } from '../pools/desired';
import type { VmDeps } from './deps';
import { EMPTY, vmLock } from './kinds';
import { awayText, removedOf } from './prepare-removed';
import { keepDays, listRemoved, putKeepDays, removedUntil, type RemovedRecord } from './removed-store';

export interface Removed {
  list(): RemovedVms;
  /** @throws AppError removed_vm_not_found */
  get(id: string): RemovedVm;
  /** Of what is removed from now on. @throws AppError keep_days_invalid */
  setKeepDays(days: number): void;
  /** Begins to delete those whose time is over, one after the other; what cannot be reached now waits. */
  emptyDue(): Promise<void>;
}

type Deps = Pick<VmDeps, 'db' | 'bus' | 'clock' | 'log' | 'operations' | 'pools'>;

export function createRemoved({ db, bus, clock, log, operations, pools }: Deps): Removed {
  function documentOf(removed: RemovedRecord): RemovedVm {
    const { id, record, poolGuid, poolLabel, takenBytes, removedAt, keptUntil, folder } = removed;
    const { name, cpus, memoryBytes, spec } = record;
    const pool = pools.list().find(({ guid }) => guid === poolGuid);
    return {
      ...{ id, name, cpus, memoryBytes, diskBytes: promisedDiskBytes(spec), takenBytes, folder },
      ...{ pool: { guid: poolGuid, label: pool?.label ?? poolLabel }, removedAt, keptUntil },
      blocked: awayText(pools.list(), removed),
      operationId: operations.holderId(vmLock(id)),
    };
  }
  async function empty({ id, record: { name } }: RemovedRecord): Promise<void> {
    try {
      // What is lost was confirmed when it was removed: its time was in that plan.
      const { confirmCode } = await operations.preview(EMPTY, { vmId: id });
      const operation = await operations.start({
        ...{ kind: EMPTY, request: { vmId: id }, actor: CAIRN, confirmCode },
      });
      await operations.wait(operation.id);
      log.info(
        { machine: name, operation: operation.id },
        'a removed machine was deleted: its time was over',
      );
    } catch (thrown) {
      log.error({ error: toAppError(thrown), machine: name }, 'a removed machine could not be deleted');
    }
  }

  return {
    list: () => ({ machines: listRemoved(db).map(documentOf), keepDays: keepDays(db) }),
    get: (id) => documentOf(removedOf(db, id)),
    setKeepDays(days) {
      if (!Number.isInteger(days) || days < 1 || days > LONGEST_KEEP_DAYS)
        throw issuesError([
          issue(
            'keep_days_invalid',
            `${days} is no number of days from 1 to ${LONGEST_KEEP_DAYS}.`,
            'keepDays',
          ),
        ]);
      putKeepDays(db, days);
      bus.emit('vm.changed', { id: 'host' });
    },
    async emptyDue() {
      for (const removed of removedUntil(db, clock.now())) {
        if (awayText(pools.list(), removed) !== null) continue;
        if (operations.holderId(vmLock(removed.id)) === null) await empty(removed);
      }
    },
  };
}
