/** Who writes the record of a pool whose drives change, or that is let go of: in the operation's own transactions. */
import { issue, issuesError } from '../errors';
import type { Prepared, RecordOwner } from '../operations/types';
import { setDriveAside } from '../drives/store';
import { changeRecord, refuseChanged, tell, type RecordDeps } from './records';
import { inputOf } from './spec';
import { addPoolDrive, deletePool, findByDrive, removePoolDrive } from './store';
import type { ChangeInput, MemberChange } from './subject';

/** Also from `error`, when somebody had to decide in between. */
const asBefore = (deps: RecordDeps): RecordOwner =>
  changeRecord(deps, (prepared) => ({ state: inputOf<ChangeInput>(prepared).previousState }));

const membersOf = (prepared: Prepared): MemberChange =>
  inputOf<ChangeInput>(prepared).members ?? { joins: [], leaves: [] };

/** Drives that join are held by the operation's locks until it ends; then the rows tell who is a member. */
export const memberRecord = (deps: RecordDeps): RecordOwner => {
  const base = asBefore(deps);
  return {
    ...base,
    begin(tx, _operationId, prepared) {
      refuseChanged(tx, prepared);
      const issues = membersOf(prepared).joins.flatMap((drive) => {
        const owner = findByDrive(tx, drive.id);
        const text = `Drive ${drive.serial ?? drive.label} belongs to the pool "${owner?.label ?? ''}".`;
        return owner ? [issue('drive_in_pool', text, 'drives')] : [];
      });
      if (issues.length > 0) throw issuesError(issues);
    },
    succeed(tx, operationId, prepared) {
      const { joins, leaves } = membersOf(prepared);
      const { setAside } = inputOf<ChangeInput>(prepared);
      for (const drive of leaves) {
        removePoolDrive(tx, prepared.subject.id, drive.id);
        if (setAside) setDriveAside(tx, drive.id, setAside, deps.clock.now());
      }
      for (const { id, slot, serial, label, sizeBytes, role } of joins)
        addPoolDrive(tx, {
          ...{ poolGuid: prepared.subject.id, driveId: id, slot, serial, label, sizeBytes },
          role: role ?? 'data',
        });
      base.succeed(tx, operationId, prepared);
    },
  };
};

/** Scrubs and balances change nothing that the record holds. */
export const workRecord = asBefore;

/** What is on the drives stays; only the record goes. */
export const releaseRecord = (deps: RecordDeps): RecordOwner => ({
  ...changeRecord(deps, () => ({})),
  succeed(tx, _operationId, prepared) {
    deletePool(tx, prepared.subject.id);
    tell(deps, prepared.subject.id);
  },
});
