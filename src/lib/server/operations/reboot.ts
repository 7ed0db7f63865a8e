/**
 * What a reboot undoes: mounts, assembled arrays, imported pools. Steps that made such a thing (their look says
 * `untilReboot`) are recorded as done and are not any more, so they are looked at again, in the order of the plan, before
 * the operation goes on or is taken back. All others have left their effect on a drive or in a file, and stay done.
 */
import type { Look, LookResult } from '$lib/plugin-api/plan';
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

/** What the step took away is not back when something else has come in its place: of a later step of the plan, or of a person. */
export const isReplaced = async (
  ask: (look: Look) => Promise<LookResult>,
  { look }: StepRow,
): Promise<boolean> => look.negate === true && (await ask(look)).status === 'foreign';
