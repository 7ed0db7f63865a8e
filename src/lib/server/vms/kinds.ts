/** What may be done to a machine. */
export const CREATE = 'vm.create';
export const START = 'vm.start';
export const STOP = 'vm.stop';
export const RESET = 'vm.reset';
export const PAUSE = 'vm.pause';
export const RESUME = 'vm.resume';
export const SAVE = 'vm.save';
export const DISCARD = 'vm.discard-memory';
export const RESIZE = 'vm.resize';
export const CLONE = 'vm.clone';
export const REMOVE = 'vm.remove';
export const SNAPSHOT = {
  take: 'vm.snapshot',
  restore: 'vm.restore-snapshot',
  delete: 'vm.delete-snapshot',
} as const;

export const vmLock = (id: string): string => `vm:${id}`;
