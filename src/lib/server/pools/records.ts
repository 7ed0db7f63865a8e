/** Who writes a pool's record, and when: always inside a transaction of the operation that owns the change. */
import type { Transaction } from '../db/client';
import { AppError, issue, issuesError } from '../errors';
import type { Operations, Prepared, RecordOwner } from '../operations/types';
import type { PoolDeps } from './deps';
import { labelLock } from './prepare-change';
import { inputOf } from './spec';
import type { ChangeInput } from './subject';
import {
  changePool,
  deletePool,
  findByDrive,
  findByLabel,
  findByMountPath,
  findPool,
  insertPool,
  type PoolChange,
} from './store';

export type RecordDeps = Pick<PoolDeps, 'bus' | 'clock'>;

/** Told after the commit: whoever hears it reads the record again. */
export function tell(deps: RecordDeps, guid: string): void {
  queueMicrotask(() => deps.bus.emit('pool.changed', { guid }));
}

function change(deps: RecordDeps, tx: Transaction, guid: string, what: PoolChange): void {
  changePool(tx, guid, what, deps.clock.now());
  tell(deps, guid);
}

/** Between the validation of a request and its first commit another one may have taken what it asks for. */
function refuseTaken(tx: Transaction, prepared: Prepared, operations: Operations): void {
  const { guid, label, mountPath, drives } = inputOf(prepared);
  if (findPool(tx, guid))
    throw new AppError('guid_conflict', `A pool with the GUID ${guid} is there already.`);
  const sameLabel = findByLabel(tx, label) ?? operations.holder(labelLock(label));
  const samePath = findByMountPath(tx, mountPath);
  const issues = [
    ...(sameLabel ? [issue('label_duplicate', `Another pool is called "${label}".`, 'label')] : []),
    ...(samePath
      ? [
          issue(
            'mount_path_in_use',
            `The pool "${samePath.label}" has the mount path ${mountPath}.`,
            'mountPath',
          ),
        ]
      : []),
    ...drives.flatMap((drive) => {
      const owner = findByDrive(tx, drive.id);
      const name = drive.serial ?? drive.label;
      return owner
        ? [
            issue(
              'drive_in_pool',
              `Drive ${name} belongs to the pool "${owner.label}".`,
              `drives.${drive.slot}`,
            ),
          ]
        : [];
    }),
  ];
  if (issues.length > 0) throw issuesError(issues);
}

export const createRecord = (deps: RecordDeps, operations: Operations): RecordOwner => ({
  begin(tx, _operationId, prepared) {
    refuseTaken(tx, prepared, operations);
    const {
      drives,
      plugin,
      guid,
      label,
      layout,
      options,
      mountPath,
      mountPathExisted,
      facts = null,
    } = inputOf(prepared);
    const now = deps.clock.now();
    insertPool(
      tx,
      {
        ...{ guid, label, plugin, layout, options, mountPath, mountPathExisted, facts },
        ...{ state: 'creating', wantMounted: false, errorMessage: null, createdAt: now, updatedAt: now },
      },
      drives.map((drive) => ({
        slot: drive.slot,
        driveId: drive.id,
        serial: drive.serial,
        label: drive.label,
        sizeBytes: drive.sizeBytes,
        role: drive.role ?? 'data',
      })),
    );
    tell(deps, guid);
  },
  succeed: (tx, _operationId, prepared) =>
    change(deps, tx, prepared.subject.id, { state: 'ready', wantMounted: true, errorMessage: null }),
  takenBack(tx, _operationId, prepared) {
    deletePool(tx, prepared.subject.id);
    tell(deps, prepared.subject.id);
  },
  needsYou: (tx, _operationId, prepared, reason) =>
    change(deps, tx, prepared.subject.id, { state: 'error', errorMessage: reason }),
});

export function refuseChanged(tx: Transaction, prepared: Prepared): void {
  const { previousState } = inputOf<ChangeInput>(prepared);
  const record = findPool(tx, prepared.subject.id);
  if (!record) throw new AppError('pool_not_found', `The pool "${prepared.subject.label}" is gone.`);
  if (record.state !== previousState)
    throw new AppError('pool_wrong_state', `The pool "${record.label}" is ${record.state} now.`);
}

/** A change that leaves the record as it is until it has succeeded. */
export const changeRecord = (deps: RecordDeps, success: (prepared: Prepared) => PoolChange): RecordOwner => ({
  begin: (tx, _operationId, prepared) => refuseChanged(tx, prepared),
  succeed: (tx, _operationId, prepared) =>
    change(deps, tx, prepared.subject.id, { errorMessage: null, ...success(prepared) }),
  takenBack: (tx, _operationId, prepared) =>
    change(deps, tx, prepared.subject.id, { state: inputOf<ChangeInput>(prepared).previousState }),
  needsYou: (tx, _operationId, prepared, reason) =>
    change(deps, tx, prepared.subject.id, { state: 'error', errorMessage: reason }),
});

export const mountRecord = (deps: RecordDeps): RecordOwner =>
  changeRecord(deps, () => ({ state: 'ready', wantMounted: true }));
export const unmountRecord = (deps: RecordDeps): RecordOwner =>
  changeRecord(deps, () => ({ state: 'unmounted', wantMounted: false }));

export const renameRecord = (deps: RecordDeps): RecordOwner => {
  const labelOf = (prepared: Prepared): string =>
    inputOf<ChangeInput>(prepared).newLabel ?? prepared.subject.label;
  return {
    ...changeRecord(deps, (prepared) => ({ label: labelOf(prepared) })),
    begin(tx, _operationId, prepared) {
      refuseChanged(tx, prepared);
      const other = findByLabel(tx, labelOf(prepared));
      if (other && other.guid !== prepared.subject.id)
        throw issuesError([issue('label_duplicate', `Another pool is called "${other.label}".`, 'label')]);
    },
  };
};

export const removeRecord = (deps: RecordDeps): RecordOwner => ({
  ...changeRecord(deps, () => ({})),
  begin(tx, _operationId, prepared) {
    refuseChanged(tx, prepared);
    change(deps, tx, prepared.subject.id, { state: 'deleting' });
  },
  succeed(tx, _operationId, prepared) {
    deletePool(tx, prepared.subject.id);
    tell(deps, prepared.subject.id);
  },
});
