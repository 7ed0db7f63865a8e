/** What people want of a machine: records only, nothing on the host changes with them. */
import type { VmAutostart } from '$lib/shared/wire/vms';
import type { Db, Transaction } from '../db/client';
import { AppError } from '../errors';
import type { VmDeps } from './deps';
import { changeSettings, settingsOf } from './settings-store';
import type { VmRecord } from './store';
import { recordOf, wrongState } from './verb';

/** Asked for the plan, and again inside the transaction that begins the removal. @throws AppError vm_protected */
export function refuseProtected(db: Db | Transaction, { id, name }: Pick<VmRecord, 'id' | 'name'>): void {
  if (settingsOf(db, id).isProtected)
    throw new AppError('vm_protected', `"${name}" is protected against being removed.`);
}

export interface VmSettingVerbs {
  /** @throws AppError vm_not_found | vm_wrong_state */
  protect(id: string, value: boolean): void;
  /** Switched on, it counts from the next start of the host on. @throws AppError vm_not_found | vm_wrong_state */
  setAutostart(id: string, wanted: VmAutostart): void;
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
    protect: (id, value) => change(id, (tx) => changeSettings(tx, id, { isProtected: value })),
    setAutostart: (id, { on, order, delaySeconds }) =>
      change(id, (tx) => {
        changeSettings(tx, id, {
          ...{ autostart: on, startOrder: order, startDelaySeconds: delaySeconds },
          ...(on && settingsOf(tx, id).autostart ? {} : { turnBootId: host.bootId(), turnText: null }),
        });
      }),
  };
}
