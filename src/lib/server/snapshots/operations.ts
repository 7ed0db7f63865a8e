/** What may be done with snapshots, and who writes down who made them. */
import type { JsonObject } from '$lib/shared/json';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import type { SnapshotRequest } from '$lib/shared/wire/snapshots';
import type { Operations, RecordOwner } from '../operations/types';
import type { PoolDeps } from '../pools/deps';
import { workRecord } from '../pools/member-records';
import { refuseChanged, tell } from '../pools/records';
import { prepareCreate, prepareDelete, prepareRollBack, snapshotOf } from './prepare';
import { deleteSnapshotRow, insertSnapshot } from './store';

const MINUTE_MS = 60_000;
export const KINDS = {
  create: 'pool.snapshot.create',
  delete: 'pool.snapshot.delete',
  'roll-back': 'pool.snapshot.roll-back',
} as const satisfies Record<SnapshotRequest['verb'], string>;

type Note = RecordOwner['succeed'];

/** Taken and removed beside other work on the pool: its own record is left alone. With the end it is noted whose it is. */
const beside = (deps: PoolDeps, note: Note): RecordOwner => ({
  begin: (tx, _operationId, prepared) => refuseChanged(tx, prepared),
  succeed(tx, operationId, prepared) {
    note(tx, operationId, prepared);
    tell(deps, prepared.subject.id);
  },
  takenBack: (_tx, _operationId, prepared) => tell(deps, prepared.subject.id),
  needsYou: (_tx, _operationId, prepared) => tell(deps, prepared.subject.id),
});

/** A roll back has the pool for itself, which is as before when it has ended. */
const rolledBack = (deps: PoolDeps, note: Note): RecordOwner => {
  const base = workRecord(deps);
  return {
    ...base,
    succeed(tx, operationId, prepared) {
      note(tx, operationId, prepared);
      base.succeed(tx, operationId, prepared);
    },
  };
};

export function defineSnapshotOperations(operations: Operations, deps: PoolDeps): void {
  operations.define({
    kind: KINDS.create,
    onInterrupt: 'take-back',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareCreate(deps, request),
    record: beside(deps, (tx, operationId, prepared) => {
      const { name, origin } = snapshotOf(prepared);
      insertSnapshot(tx, {
        ...{ poolGuid: prepared.subject.id, name, origin, operationId },
        madeAt: deps.clock.now(),
      });
    }),
  });
  operations.define({
    kind: KINDS.delete,
    onInterrupt: 'finish',
    deadlineMs: 30 * MINUTE_MS,
    prepare: (request) => prepareDelete(deps, request),
    record: beside(deps, (tx, _operationId, prepared) =>
      deleteSnapshotRow(tx, prepared.subject.id, snapshotOf(prepared).name),
    ),
  });
  operations.define({
    kind: KINDS['roll-back'],
    onInterrupt: 'continue',
    deadlineMs: 30 * MINUTE_MS,
    prepare: (request) => prepareRollBack(deps, request),
    record: rolledBack(deps, (tx, operationId, prepared) => {
      const { keepAs } = snapshotOf(prepared);
      if (keepAs === null) return;
      insertSnapshot(tx, {
        ...{ poolGuid: prepared.subject.id, name: keepAs, origin: 'roll-back', operationId },
        madeAt: deps.clock.now(),
      });
    }),
  });
}

const asJson = ({ verb: _, ...request }: SnapshotRequest): JsonObject =>
  JSON.parse(JSON.stringify(request)) as JsonObject;

export const previewSnapshot = (operations: Operations, request: SnapshotRequest): Promise<PlanPreview> =>
  operations.preview(KINDS[request.verb], asJson(request));

/** @throws AppError snapshot_not_found | snapshot_name_taken | not_supported | pool_wrong_state | pool_in_use | locked */
export const startSnapshot = (
  operations: Operations,
  request: SnapshotRequest,
  actor: Actor,
): Promise<Operation> => operations.start({ kind: KINDS[request.verb], request: asJson(request), actor });
