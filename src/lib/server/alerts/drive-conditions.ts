/** What drives say about themselves, as conditions. Pure: what held and what was counted a week ago is handed in. */
import type { Drive, SmartCounters } from '$lib/shared/wire/drives';
import { driveName } from '../drives/availability';
import { driveConditions } from '../drives/conditions';
import type { Condition, Judgement } from './condition';

const idOf = (drive: Drive, suffix: string): string => `drive:${drive.id}:${suffix}`;

/**
 * @param held ids of the open alerts
 * @param weekAgo the drive's counters of a week ago
 */
export function healthConditions(
  drives: Drive[],
  held: ReadonlySet<string>,
  weekAgo: (driveId: string) => SmartCounters,
): Judgement {
  const unknown: string[] = [];
  const conditions = drives.flatMap((drive): Condition[] => {
    // One that was taken out is nobody's concern any more, unless a pool waits for it.
    if (!drive.present) {
      if (drive.pool) unknown.push(idOf(drive, ''));
      return [];
    }
    if (drive.health.readAt === null || drive.health.status === 'unknown') {
      unknown.push(idOf(drive, ''));
      return [];
    }
    const begin = idOf(drive, '');
    const suffixes = [...held].filter((id) => id.startsWith(begin)).map((id) => id.slice(begin.length));
    const name = driveName(drive);
    return driveConditions(
      { name, rotational: drive.rotational, health: drive.health },
      { held: new Set(suffixes), counters: weekAgo(drive.id) },
    )
      .filter((condition) => condition.holds)
      .map(({ suffix, holds: _, ...words }) => ({
        ...words,
        id: idOf(drive, suffix),
        subject: { type: 'drive', id: drive.id, label: drive.serial ?? name },
      }));
  });
  return { conditions, unknown: (id) => unknown.some((begin) => id.startsWith(begin)) };
}
