/** Texts and ways about alerts that more than one place shows. */
import type { Alert, AlertSeverity } from '$lib/shared/wire/alerts';
import type { Pool } from '$lib/shared/wire/pools';
import { plural } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const severityTone: Record<AlertSeverity, Tone> = { info: 'accent', warning: 'warn', critical: 'bad' };
export const severityWord: Record<AlertSeverity, string> = {
  info: 'Note',
  warning: 'Warning',
  critical: 'Critical',
};
const RANK: Record<AlertSeverity, number> = { critical: 0, warning: 1, info: 2 };

/** Those nobody has seen first, then the worst, then the newest. */
export const byUrgency = (a: Alert, b: Alert): number =>
  Number(a.acknowledgedAt !== null) - Number(b.acknowledgedAt !== null) ||
  RANK[a.severity] - RANK[b.severity] ||
  b.raisedAt - a.raisedAt;

/** Those about the pool itself or one of its drives. */
export const alertsOfPool = (alerts: Iterable<Alert>, pool: Pool): Alert[] =>
  [...alerts]
    .filter(
      ({ id, subject }) =>
        id.startsWith(`pool:${pool.guid}:`) ||
        subject.id === pool.guid ||
        pool.members.some((member) => member.driveId === subject.id),
    )
    .sort(byUrgency);

/** All that is open, in one line; null when nothing is. */
export function alertLine(alerts: Alert[]): { tone: Tone; text: string } | null {
  const [first, ...others] = alerts.toSorted(byUrgency);
  if (!first) return null;
  const tone = alerts.some((alert) => alert.severity === 'critical') ? 'bad' : severityTone[first.severity];
  return {
    tone,
    text: others.length === 0 ? first.title : `${first.title}, and ${plural(others.length, 'more alert')}`,
  };
}
