/** What may be done to a pool. Each kind: how its request becomes a plan, and who writes the record. */
import type { OperationDefinition, Operations } from '../operations/types';
import type { PoolDeps } from './deps';
import { defineChangeOperations } from './change-operations';
import { defineEndProcesses } from './end-processes';
import { prepareKeep, prepareMount, prepareRemove, prepareRename, prepareUnmount } from './prepare-change';
import { CREATE, prepareCreate } from './prepare-create';
import { showMounts } from './show-mounts';
import { createRecord, mountRecord, removeRecord, renameRecord, unmountRecord } from './records';

export const REMOVE = 'pool.remove';
export const MOUNT = 'pool.mount';
/** Mounted already: only what has PID 1 mount it again is put in place. */
const KEEP = 'pool.keep-mounted';
const MINUTE_MS = 60_000;

export function definePoolOperations(operations: Operations, deps: PoolDeps): void {
  const define = (definition: OperationDefinition): void =>
    operations.define({ ...definition, beforeEnd: async () => showMounts(deps) });
  define({
    kind: CREATE,
    onInterrupt: 'take-back',
    deadlineMs: 60 * MINUTE_MS,
    prepare: (request) => prepareCreate(deps, request),
    record: createRecord(deps, operations),
  });
  define({
    kind: REMOVE,
    onInterrupt: 'finish',
    deadlineMs: 30 * MINUTE_MS,
    prepare: (request) => prepareRemove(deps, request),
    record: removeRecord(deps),
  });
  define({
    kind: MOUNT,
    onInterrupt: 'take-back',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareMount(deps, request),
    record: mountRecord(deps),
  });
  define({
    kind: KEEP,
    onInterrupt: 'finish',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareKeep(deps, request),
    record: mountRecord(deps),
  });
  define({
    kind: 'pool.unmount',
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareUnmount(deps, request),
    record: unmountRecord(deps),
  });
  define({
    kind: 'pool.rename',
    onInterrupt: 'finish',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareRename(deps, request),
    record: renameRecord(deps),
  });
  defineChangeOperations(operations, deps);
  defineEndProcesses(operations, deps);
}
