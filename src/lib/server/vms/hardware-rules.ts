/** What is asked before a machine that is there gets, loses or changes a part. */
import type { VmPlugin, VmStatus } from '$lib/plugin-api/vm';
import { AppError } from '../errors';
import type { VmRecord } from './store';
import { wrongState } from './verb';

/** Its memory belongs to what it had when it was saved; on its way off it is neither on nor off. */
export function refuseBetween(name: string, status: VmStatus | 'missing'): void {
  if (status === 'saved')
    throw wrongState(
      `"${name}" goes on with its saved memory, in which it has what it had.`,
      'Start it first, or discard its saved memory.',
    );
  if (status === 'stopping') throw wrongState(`"${name}" is shutting down.`, 'Wait until it is off.');
}
/** Its disks stay what they are: they were not made here. */
export function refuseAdopted({ name, spec }: Pick<VmRecord, 'name' | 'spec'>): void {
  if (spec.adopted) throw new AppError('vm_adopted', `The disks of "${name}" were not made by Cairn.`);
}
/** @param why of its engine; null: it need not be off */
export function refuseOn(name: string, isOn: boolean, why: string | null): void {
  if (isOn && why !== null) throw wrongState(`"${name}" is on. ${why}`, 'Shut it down first.');
}
/** So long a guest has to let go of what is taken from it. */
export const GRACE_MS = 15_000;
/** For what its guest has to let go of. */
export function refusePaused(name: string, status: VmStatus | 'missing'): void {
  if (status === 'paused')
    throw wrongState(`"${name}" is paused, and could not let go of it.`, 'Let it go on first.');
}
/** For what changes its definition. */
export function refuseUnknown(
  { name }: Pick<VmRecord, 'name'>,
  plugin: Pick<VmPlugin, 'name'>,
  status: VmStatus | 'missing',
): void {
  if (status === 'missing')
    throw wrongState(
      `${plugin.name} does not know "${name}" any more.`,
      'Start it once: that makes it known again.',
    );
}
