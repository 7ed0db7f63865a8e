/** What the owners of the records of machines have in common. */
import type { Transaction } from '../db/client';
import type { RecordOwner } from '../operations/types';
import type { VmDeps } from './deps';
import { findVm, type VmRecord } from './store';
import { verbInput, wrongState } from './verb';

/** Told after the commit: whoever hears it reads the record again. */
export const tell = ({ bus }: VmDeps, id: string): void =>
  queueMicrotask(() => bus.emit('vm.changed', { id }));

/** The record stays as it is: what changes is what its engine says. */
export function verbRecord(
  deps: VmDeps,
  check: (tx: Transaction, record: VmRecord) => void = () => undefined,
): RecordOwner {
  const changed = (id: string): void => tell(deps, id);
  return {
    begin(tx, _operationId, prepared) {
      const record = findVm(tx, verbInput.parse(prepared.input).vmId);
      if (record?.state !== 'ready') throw wrongState(`"${prepared.subject.label}" is not at rest.`);
      check(tx, record);
      changed(record.id);
    },
    succeed: (_tx, _operationId, { subject }) => changed(subject.id),
    takenBack: (_tx, _operationId, { subject }) => changed(subject.id),
    needsYou: (_tx, _operationId, { subject }) => changed(subject.id),
  };
}
