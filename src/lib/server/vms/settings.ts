/** What people want of a machine: records only, nothing on the host changes with them. */
import { tagIssues, tagsIn } from '$lib/shared/vm-labels';
import type { VmHostStop } from '$lib/shared/wire/vm-host-stop';
import type { VmAutostart, VmLabels } from '$lib/shared/wire/vm-settings';
import type { Db, Transaction } from '../db/client';
import { AppError, issuesError } from '../errors';
import type { VmDeps } from './deps';
import { changeSettings, settingsOf } from './settings-store';
import type { VmRecord } from './store';
import { refuseTemplate } from './template';
import { recordOf, wrongState } from './verb';

/** Asked for the plan, and again inside the transaction that begins the removal. @throws AppError vm_protected */
export function refuseProtected(db: Db | Transaction, { id, name }: Pick<VmRecord, 'id' | 'name'>): void {
  if (settingsOf(db, id).isProtected)
    throw new AppError('vm_protected', `"${name}" is protected against being removed.`);
}

export interface VmSettingVerbs {
  /** @throws AppError vm_not_found | vm_wrong_state */
  protect(id: string, value: boolean): void;
  /** Switched on, it counts from the next start of the host on. @throws AppError vm_not_found | vm_wrong_state | vm_is_template */
  setAutostart(id: string, wanted: VmAutostart): void;
  /** When the host goes down. @throws AppError vm_not_found | vm_wrong_state */
  setHostStop(id: string, wanted: VmHostStop): void;
  /** Of any machine, also of one that failed. @throws AppError vm_not_found | tag_invalid | tags_too_many */
  label(id: string, wanted: VmLabels): void;
}

function heldTags(tags: string[]): string[] {
  const held = tagsIn(tags.join(','));
  // One with a space in it is no tag, and not two.
  const issues = tagIssues(tags.some((tag) => /[\s,]/.test(tag)) ? tags : held);
  if (issues.length > 0) throw issuesError(issues);
  return held;
}

export function vmSettingVerbs({ db, bus, host }: Pick<VmDeps, 'db' | 'bus' | 'host'>): VmSettingVerbs {
  function change(id: string, work: (tx: Transaction) => void): void {
    db.transaction((tx) => {
      const { name, state } = recordOf(tx, id);
      if (state !== 'ready')
        throw wrongState(`"${name}" is not at rest.`, 'Wait until what is being done to it has ended.');
      work(tx);
    });
    bus.emit('vm.changed', { id });
  }
  return {
    label(id, { tags: asked, notes }) {
      const tags = heldTags(asked);
      db.transaction((tx) => changeSettings(tx, recordOf(tx, id).id, { tags, notes }));
      bus.emit('vm.changed', { id });
    },
    protect: (id, value) => change(id, (tx) => changeSettings(tx, id, { isProtected: value })),
    setHostStop: (id, { seconds, otherwise, startsAgain }) =>
      change(id, (tx) =>
        changeSettings(tx, id, {
          ...{ hostStopSeconds: seconds, hostStopThen: otherwise, startsAgain },
          ...(startsAgain ? {} : { ranAtHostStop: false }),
        }),
      ),
    setAutostart: (id, { on, order, delaySeconds }) =>
      change(id, (tx) => {
        if (on) refuseTemplate(recordOf(tx, id));
        changeSettings(tx, id, {
          ...{ autostart: on, startOrder: order, startDelaySeconds: delaySeconds },
          ...(on && settingsOf(tx, id).autostart ? {} : { turnBootId: host.bootId(), turnText: null }),
        });
      }),
  };
}
