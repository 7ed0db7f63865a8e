/** Texts about snapshots that more than one place shows. */
import type { Snapshot, SnapshotSchedule } from '$lib/shared/wire/snapshots';
import type { SnapshotTier } from '$lib/shared/snapshot-tiers';
import { capitalised } from '$lib/ui/format';

export const tierWord: Record<SnapshotTier, string> = {
  hourly: 'Every hour',
  daily: 'Every day',
  weekly: 'Every week',
  monthly: 'Every month',
};

/** Who made it, in a few words. */
export function originText({ origin, tier, madeBy }: Snapshot): string {
  if (origin === 'schedule') return tier ? `${capitalised(tier)} schedule` : 'Schedule';
  if (origin === 'roll-back') return madeBy ? `Kept when ${madeBy} rolled back` : 'Kept by a roll back';
  if (origin === 'outside') return 'Not made by this Cairn';
  return madeBy ? `Taken by ${madeBy}` : 'Taken by hand';
}

/** "Every day at 03:00 · keeps 7". */
export const scheduleLine = ({ text, keep }: Pick<SnapshotSchedule, 'text' | 'keep'>): string =>
  `${text} · keeps ${keep}`;
