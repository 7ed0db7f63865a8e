/**
 * What a reboot undoes: mounts, assembled arrays, imported pools. Steps that made such a thing (their look says
 * `untilReboot`) are recorded as done and are not any more, so they are looked at again, in the order of the plan, before
 * the operation goes on or is taken back. All others have left their effect on a drive or in a file, and stay done.
 */
import { canonicalJson } from '$lib/shared/json';
import type { StepRow } from './journal';

export const isFinished = ({ state }: Pick<StepRow, 'state'>): boolean =>
  state === 'done' || state === 'skipped';

/** The same for a step and for one that does the opposite. */
const effectOf = ({ look }: StepRow): string => canonicalJson({ look: look.look, args: look.args });

/**
 * Indexes of the steps that are to be looked at again. Of several steps with one effect (unmount, change, mount) only the
 * last that is finished counts: what the earlier ones made was made otherwise since.
 * @param bootId of the boot that runs now
 */
export function undoneByReboot(rows: StepRow[], bootId: string): Set<number> {
  const last = new Map<string, StepRow>();
  for (const row of rows) if (isFinished(row) && row.look.untilReboot) last.set(effectOf(row), row);
  return new Set([...last.values()].filter((row) => row.bootId !== bootId).map((row) => row.index));
}
