import type { RemovedVm } from '$lib/shared/wire/removed-vms';

export const takenOf = (kept: Pick<RemovedVm, 'takenBytes'>[]): number =>
  kept.reduce((sum, { takenBytes }) => sum + takenBytes, 0);
