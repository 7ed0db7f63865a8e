/** Machines as operations, and who writes their records. */
import type { VmStatus } from '$lib/plugin-api/vm';
import type { OperationDefinition, Operations, RecordOwner } from '../operations/types';
import { refuseTooLargeDisk, refuseTooMuchPower } from './accounts';
import { refuseTakenMacs } from './card-rules';
import type { VmDeps } from './deps';
import { AppError } from '../errors';
import { convertRecord } from '../images/define';
import { hardwareOperations } from './hardware';
import { adoptRecord, prepareAdopt, prepareRelease } from './adopt';
import {
  ADOPT,
  CLONE,
  CREATE,
  DISCARD,
  EXPORT,
  PAUSE,
  RECALL,
  RELEASE,
  REMOVE,
  RESET,
  RESIZE,
  RESUME,
  SAVE,
  START,
  STOP,
  STOP_WITH_HOST,
  TEMPLATE,
} from './kinds';
import { prepareClone } from './prepare-clone';
import { prepareExport } from './prepare-export';
import { createInput, prepareCreate } from './prepare-create';
import { preparePause, prepareReset, prepareResume, prepareStart, prepareStop } from './prepare-verbs';
import { prepareRecall, recallRecord } from './prepare-recall';
import { prepareRemove } from './prepare-remove';
import { tell, verbRecord } from './records';
import { keepRemoved, removedOperations } from './removed-operations';
import { findRemoved } from './removed-store';
import { prepareResize, resizeInput, withShape } from './resize';
import { prepareDiscard, prepareSave } from './saved-memory';
import type { VmSecrets } from './secrets';
import { refuseProtected } from './settings';
import { endTurn, leaveWithHost } from './settings-store';
import { prepareStopWithHost } from './host-stop';
import { changeVm, deleteVm, findVm, findVmByName, putVm } from './store';
import { prepareTemplate, refuseLinked, refuseTemplate, templateRecord } from './template';
import { verbInput, wrongState } from './verb';

const MINUTE_MS = 60_000;

/** `starts`: it is on when it has been made. */
const createRecord = (deps: VmDeps, secrets: VmSecrets, starts: boolean): RecordOwner => ({
  begin(tx, _operationId, prepared) {
    const { record, roomBytes, needsSecret } = createInput.parse(prepared.input);
    const before = findVm(tx, record.id);
    if (before && before.state !== 'failed')
      throw wrongState(`There is a machine with the id ${record.id} already.`);
    if (findRemoved(tx, record.id))
      throw wrongState(`A machine that was removed and is still kept has the id ${record.id}.`);
    const other = findVmByName(tx, record.name);
    if (other && other.id !== record.id)
      throw new AppError('vm_name_taken', `There is a machine called "${record.name}" already.`);
    refuseTakenMacs(deps, tx, record.id, record.spec.cards ?? []);
    if (needsSecret && !secrets.isThere(record.id)) throw new AppError('password_gone');
    if (starts) refuseTooMuchPower(deps, tx, record);
    refuseTooLargeDisk(tx, record, record.diskBytes, roomBytes);
    putVm(tx, record);
    tell(deps, record.id);
  },
  succeed(tx, _operationId, { subject }) {
    changeVm(tx, subject.id, { state: 'ready' });
    tell(deps, subject.id);
    queueMicrotask(() => {
      secrets
        .drop(subject.id)
        .catch((error: unknown) => deps.log.error({ error }, 'a secret was not removed'));
    });
  },
  // Its name and its request stay: it can be tried again.
  takenBack(tx, operationId, { subject }, error) {
    changeVm(tx, subject.id, {
      state: 'failed',
      failedOperationId: operationId,
      failedText: error.message,
    });
    tell(deps, subject.id);
  },
  // Whatever is decided: it can be removed afterwards, with what is left of it.
  needsYou(tx, operationId, { subject }, reason) {
    changeVm(tx, subject.id, { state: 'failed', failedOperationId: operationId, failedText: reason });
    tell(deps, subject.id);
  },
});

const removeRecord = (deps: VmDeps, secrets: VmSecrets): RecordOwner => ({
  begin(tx, _operationId, prepared) {
    const record = findVm(tx, verbInput.parse(prepared.input).vmId);
    if (record?.state !== 'ready' && record?.state !== 'failed')
      throw wrongState(`"${prepared.subject.label}" is not at rest.`);
    refuseProtected(tx, record);
    refuseLinked(tx, record);
    changeVm(tx, record.id, { state: 'removing' });
    tell(deps, record.id);
  },
  succeed(tx, _operationId, { subject, input }) {
    keepRemoved(deps, tx, subject.id, input);
    deleteVm(tx, subject.id);
    tell(deps, subject.id);
    queueMicrotask(() => {
      secrets
        .drop(subject.id)
        .catch((error: unknown) => deps.log.error({ error }, 'a secret was not removed'));
    });
  },
  takenBack(tx, _operationId, { subject }) {
    changeVm(tx, subject.id, { state: 'ready' });
    tell(deps, subject.id);
  },
  // While it waits for a decision nothing else may be done to it; afterwards it can be removed again.
  needsYou(tx, _operationId, { subject }) {
    changeVm(tx, subject.id, { state: 'ready' });
    tell(deps, subject.id);
  },
});

/** Admitted is what grows. The machine is off, and its start counts what it needs again: what it gets is written when it has it. */
const resizeRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  begin(tx, operationId, prepared) {
    const { vmId: id, cpus, memoryBytes } = resizeInput.parse(prepared.input);
    verbRecord(deps, (_tx, had) => {
      const asked = {
        cpus: cpus > had.cpus ? cpus : 0,
        memoryBytes: memoryBytes > had.memoryBytes ? memoryBytes : 0,
      };
      if (asked.cpus + asked.memoryBytes > 0) refuseTooMuchPower(deps, tx, { id, ...asked });
    }).begin(tx, operationId, prepared);
  },
  succeed(tx, _operationId, { input, subject: { id } }) {
    const shape = resizeInput.parse(input);
    const { cpus, memoryBytes } = shape;
    const record = findVm(tx, id);
    if (record) changeVm(tx, id, { cpus, memoryBytes, spec: withShape(record.spec, shape) });
    tell(deps, id);
  },
});

/** What a machine is when the last step of it was done. */
const BECOMES: Record<string, VmStatus> = { [CREATE]: 'running', [START]: 'running', [STOP]: 'stopped' };

/** What its engine tells by itself may come later than the end of the operation, or never. */
export const readAgain =
  (deps: VmDeps, becomes?: VmStatus): NonNullable<OperationDefinition['beforeEnd']> =>
  async ({ subject: { id } }, outcome) => {
    const record = findVm(deps.db, id);
    if (!record) return;
    // The last step was seen to be done, and its engine has told of it too: there is nothing more to ask.
    if (outcome === 'succeeded' && deps.readings.of(record.plugin, id) === becomes) return;
    await deps.readings.refresh(record.plugin);
  };

export function defineVmOperations(operations: Operations, deps: VmDeps, secrets: VmSecrets): void {
  const definitions: OperationDefinition[] = [
    {
      kind: CREATE,
      onInterrupt: 'take-back',
      // A full copy of a large image.
      deadlineMs: 6 * 60 * MINUTE_MS,
      prepare: (request) => prepareCreate(deps, secrets, request),
      record: createRecord(deps, secrets, true),
    },
    {
      kind: CLONE,
      onInterrupt: 'take-back',
      // A full copy of a large disk.
      deadlineMs: 6 * 60 * MINUTE_MS,
      prepare: (request) => prepareClone(deps, request),
      record: createRecord(deps, secrets, false),
    },
    {
      kind: TEMPLATE,
      onInterrupt: 'take-back',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareTemplate(deps, request),
      record: templateRecord(deps),
    },
    {
      kind: EXPORT,
      onInterrupt: 'take-back',
      deadlineMs: 2 * 24 * 60 * MINUTE_MS,
      prepare: (request) => prepareExport(deps, request),
      record: convertRecord(deps),
    },
    {
      kind: START,
      onInterrupt: 'continue',
      // Memory that was saved is read back.
      deadlineMs: 40 * MINUTE_MS,
      prepare: (request) => prepareStart(deps, request),
      record: verbRecord(deps, (tx, record) => {
        refuseTemplate(record);
        refuseTooMuchPower(deps, tx, record);
        endTurn(tx, record.id, deps.host.bootId());
      }),
    },
    {
      kind: STOP,
      onInterrupt: 'continue',
      // The longest time to shut down is an hour.
      deadlineMs: 70 * MINUTE_MS,
      prepare: (request) => prepareStop(deps, request),
      record: verbRecord(deps, (tx, { id }) => endTurn(tx, id, deps.host.bootId())),
    },
    {
      kind: STOP_WITH_HOST,
      onInterrupt: 'continue',
      deadlineMs: 45 * MINUTE_MS,
      prepare: (request) => prepareStopWithHost(deps, request),
      record: verbRecord(deps, (tx, { id }) => leaveWithHost(tx, id, deps.host.bootId())),
    },
    {
      kind: RESET,
      // Never twice: whoever wants it again asks again.
      onInterrupt: 'take-back',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareReset(deps, request),
      record: verbRecord(deps),
    },
    {
      kind: PAUSE,
      onInterrupt: 'continue',
      deadlineMs: MINUTE_MS,
      prepare: (request) => preparePause(deps, request),
      record: verbRecord(deps),
    },
    {
      kind: RESUME,
      onInterrupt: 'continue',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareResume(deps, request),
      record: verbRecord(deps),
    },
    {
      kind: SAVE,
      onInterrupt: 'continue',
      deadlineMs: 40 * MINUTE_MS,
      prepare: (request) => prepareSave(deps, request),
      record: verbRecord(deps, (tx, { id }) => endTurn(tx, id, deps.host.bootId())),
    },
    {
      kind: DISCARD,
      onInterrupt: 'finish',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareDiscard(deps, request),
      record: verbRecord(deps),
    },
    {
      kind: RESIZE,
      onInterrupt: 'take-back',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareResize(deps, request),
      record: resizeRecord(deps),
    },
    ...hardwareOperations(deps),
    ...removedOperations(deps),
    {
      kind: ADOPT,
      onInterrupt: 'take-back',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareAdopt(deps, request),
      record: adoptRecord(deps),
    },
    {
      kind: RECALL,
      onInterrupt: 'take-back',
      deadlineMs: 5 * MINUTE_MS,
      prepare: (request) => prepareRecall(deps, request),
      record: recallRecord(deps),
    },
    {
      kind: RELEASE,
      onInterrupt: 'finish',
      deadlineMs: MINUTE_MS,
      prepare: (request) => prepareRelease(deps, request),
      record: removeRecord(deps, secrets),
    },
    {
      kind: REMOVE,
      onInterrupt: 'finish',
      deadlineMs: 10 * MINUTE_MS,
      prepare: (request) => prepareRemove(deps, request),
      record: removeRecord(deps, secrets),
    },
  ];
  for (const definition of definitions)
    operations.define({ ...definition, beforeEnd: readAgain(deps, BECOMES[definition.kind]) });
}
