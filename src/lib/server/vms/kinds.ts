/** What may be done to a machine. */
export const CREATE = 'vm.create';
export const START = 'vm.start';
export const STOP = 'vm.stop';
/** Of Cairn itself, when the host goes down. */
export const STOP_WITH_HOST = 'vm.stop-with-host';
export const RESET = 'vm.reset';
export const PAUSE = 'vm.pause';
export const RESUME = 'vm.resume';
export const SAVE = 'vm.save';
export const DISCARD = 'vm.discard-memory';
export const RESIZE = 'vm.resize';
export const CLONE = 'vm.clone';
export const GROW_DISK = 'vm.grow-disk';
export const ADD_DISK = 'vm.add-disk';
export const REMOVE_DISK = 'vm.remove-disk';
export const ADD_CARD = 'vm.add-card';
export const MOVE_CARD = 'vm.move-card';
export const REMOVE_CARD = 'vm.remove-card';
export const CHANGE_CD = 'vm.change-cd';
export const SET_BOOT_ORDER = 'vm.set-boot-order';
export const REMOVE = 'vm.remove';
/** Of machines that were removed. */
export const BRING_BACK = 'vm.bring-back';
export const EMPTY = 'vm.empty';
export const TEMPLATE = 'vm.template';
export const EXPORT = 'vm.export';
export const ADOPT = 'vm.adopt';
/** From a copy of the configuration. */
export const RECALL = 'vm.recall';
export const RELEASE = 'vm.release';
export const SNAPSHOT = {
  take: 'vm.snapshot',
  restore: 'vm.restore-snapshot',
  delete: 'vm.delete-snapshot',
} as const;

export const vmLock = (id: string): string => `vm:${id}`;
