/** How snapshots are called. The pattern of those that a schedule made is what a clean-up goes by: nobody else may use it. */
import type { Issue } from './error-codes';
import { issueOf } from './issue';
import { SNAPSHOT_TIERS, type SnapshotTier } from './snapshot-tiers';

const two = (value: number): string => String(value).padStart(2, '0');
/** `20261121-170405`, UTC: the same on every machine, and sorted by time. */
function stampOf(at: number): string {
  const time = new Date(at);
  const date = `${time.getUTCFullYear()}${two(time.getUTCMonth() + 1)}${two(time.getUTCDate())}`;
  return `${date}-${two(time.getUTCHours())}${two(time.getUTCMinutes())}${two(time.getUTCSeconds())}`;
}
const STAMP = String.raw`(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)`;
const AUTO = new RegExp(`^auto-(${SNAPSHOT_TIERS.join('|')})-${STAMP}$`);
const KEPT = new RegExp(`^before-roll-back-${STAMP}$`);
const MANUAL = new RegExp(`^manual-${STAMP}$`);

export const autoName = (tier: SnapshotTier, at: number): string => `auto-${tier}-${stampOf(at)}`;
export const keptName = (at: number): string => `before-roll-back-${stampOf(at)}`;
export const manualName = (at: number): string => `manual-${stampOf(at)}`;

function timeOf(parts: string[]): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
export interface NamedSnapshot {
  origin: 'schedule' | 'roll-back' | null;
  tier: SnapshotTier | null;
  at: number | null;
}
/** What a name tells. `kept/other` (what a state that was kept had itself) tells nothing: it is nobody's to clean up. */
export function readName(name: string): NamedSnapshot {
  const [, tier, ...auto] = AUTO.exec(name) ?? [];
  if (tier !== undefined) return { origin: 'schedule', tier: tier as SnapshotTier, at: timeOf(auto) };
  const [, ...kept] = KEPT.exec(name) ?? [];
  if (kept.length > 0) return { origin: 'roll-back', tier: null, at: timeOf(kept) };
  const [, ...manual] = MANUAL.exec(name) ?? [];
  return { origin: null, tier: null, at: manual.length > 0 ? timeOf(manual) : null };
}

export const SNAPSHOT_NAME_MAX = 48;
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
const wrongName = (name: string, field: string): Issue[] => {
  const wrong = (message: string): Issue[] => [issueOf('snapshot_name_invalid', message, field)];
  if (name.length > SNAPSHOT_NAME_MAX) return wrong(`The name has ${name.length} characters.`);
  return NAME.test(name) ? [] : wrong(`"${name}" has characters that are not allowed, or begins with one.`);
};
/** What a person may call one: fit for every storage, and never like those that are made and removed by the clock. */
export function snapshotNameIssues(name: string, field = 'name'): Issue[] {
  if (name.length <= SNAPSHOT_NAME_MAX && /^(auto|before-roll-back)-/.test(name))
    return [
      issueOf(
        'snapshot_name_invalid',
        'Names that begin with "auto-" or "before-roll-back-" are given by Cairn itself.',
        field,
      ),
    ];
  return wrongName(name, field);
}
/** The same of a machine, of which no schedule makes any. */
export const vmSnapshotNameIssues = (name: string, field = 'name'): Issue[] => wrongName(name, field);
/** What a machine was before it was restored. */
export const beforeRestoreName = (at: number): string => `before-restore-${stampOf(at)}`;
/** One that is there, perhaps made in a shell: can a step name it safely? */
export const canBeNamed = (name: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9_.:-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.:-]*)?$/.test(name);
