/** Snapshots of machines as operations. What there are of them is read from the engine; only the size of a machine is recorded. */
import type { VmCard, VmMade, VmSpec } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import type { VmSnapshotRequest } from '$lib/shared/wire/vm-snapshots';
import type { OperationDefinition, Operations, RecordOwner } from '../operations/types';
import { refuseTooMuchPower } from './accounts';
import { withBootOrder } from './boot-order';
import { cardsOf } from './card-rules';
import { readAgain } from './define';
import { verbRecord } from './records';
import type { VmDeps } from './deps';
import { SNAPSHOT } from './kinds';
import { prepareDelete, prepareRestore, prepareTake, restoreInput } from './prepare-snapshots';
import { withShape } from './resize';
import { endTurn } from './settings-store';
import type { VmSnapshotReadings } from './snapshots';
import { changeVm, findVm } from './store';

const MINUTE_MS = 60_000;

/** @param had its network cards: the one that every machine has is written down only when there were others */
function withMade(spec: VmSpec, made: Omit<VmMade, 'topology'> | undefined, had: VmCard[]): VmSpec {
  if (!made) return spec;
  const { cards, cdPath, boot } = made;
  const same = JSON.stringify(cards) === JSON.stringify(had);
  return withBootOrder({ ...spec, cdPath, ...(same ? {} : { cards }) }, boot);
}

/** One with memory is a start, and is admitted like one. The machine has what it had then. */
const restoreRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  begin(tx, operationId, prepared) {
    const { vmId: id, cpus, memoryBytes, goesOn } = restoreInput.parse(prepared.input);
    verbRecord(deps, () => {
      if (goesOn) refuseTooMuchPower(deps, tx, { id, cpus, memoryBytes });
      endTurn(tx, id, deps.host.bootId());
    }).begin(tx, operationId, prepared);
  },
  succeed(tx, operationId, prepared) {
    const { vmId: id, cpus, memoryBytes, made } = restoreInput.parse(prepared.input);
    const record = findVm(tx, id);
    if (record) {
      const shape = { vmId: id, cpus, memoryBytes, topology: made?.topology };
      const had = cardsOf(record.spec, deps.plugins.knownVm(record.plugin));
      const spec = withMade(withShape(record.spec, shape), made, had);
      changeVm(tx, id, { cpus, memoryBytes, spec });
    }
    verbRecord(deps).succeed(tx, operationId, prepared);
  },
});

export function defineSnapshotOperations(
  operations: Operations,
  deps: VmDeps,
  snapshots: Pick<VmSnapshotReadings, 'refresh'>,
): void {
  const beforeEnd: OperationDefinition['beforeEnd'] = async (prepared, outcome) => {
    await readAgain(deps)(prepared, outcome);
    await snapshots.refresh(prepared.subject.id);
  };
  operations.define({
    kind: SNAPSHOT.take,
    onInterrupt: 'take-back',
    // A whole memory is written.
    deadlineMs: 40 * MINUTE_MS,
    prepare: (request) => prepareTake(deps, request),
    record: verbRecord(deps),
    beforeEnd,
  });
  operations.define({
    kind: SNAPSHOT.restore,
    // The note in the definition tells whether it has happened: nothing is restored a second time.
    onInterrupt: 'continue',
    deadlineMs: 80 * MINUTE_MS,
    prepare: (request) => prepareRestore(deps, request),
    record: restoreRecord(deps),
    beforeEnd,
  });
  operations.define({
    kind: SNAPSHOT.delete,
    onInterrupt: 'finish',
    deadlineMs: 40 * MINUTE_MS,
    prepare: (request) => prepareDelete(deps, request),
    record: verbRecord(deps),
    beforeEnd,
  });
}

const asJson = ({ verb: _, ...request }: VmSnapshotRequest): JsonObject =>
  JSON.parse(JSON.stringify(request)) as JsonObject;

export const previewSnapshot = (operations: Operations, request: VmSnapshotRequest): Promise<PlanPreview> =>
  operations.preview(SNAPSHOT[request.verb], asJson(request));

/** @throws AppError snapshot_not_found | snapshot_name_taken | vm_wrong_state | vm_snapshot_no_room | confirm_required | ... */
export const startSnapshot = (
  operations: Operations,
  request: VmSnapshotRequest,
  asked: { actor: Actor; confirmCode: string | null },
): Promise<Operation> =>
  operations.start({ kind: SNAPSHOT[request.verb], request: asJson(request), ...asked });
