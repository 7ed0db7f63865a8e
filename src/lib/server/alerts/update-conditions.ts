/** A newer version that nobody installs, and a channel that tells nothing. Over when it is installed or skipped, or told something. Pure. */
import type { UpdateNews } from '$lib/shared/wire/updates';
import type { Condition } from './condition';

const DAY_MS = 86_400_000;
/** Who looks after the host now and then has seen it by then. */
const KNOWN_DAYS = 3;
/** What it mends is needed by then. */
const LATE_DAYS = 30;
/** A server may be away for a few days. */
const FAILING_DAYS = 7;

const subject = { type: 'host', id: 'update', label: 'Cairn' } as const;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

export function updateConditions(news: UpdateNews | null, now: number): Condition[] {
  const { newer, failing } = news ?? { newer: null, failing: null };
  const conditions: Condition[] = [];
  if (newer && now - newer.since >= KNOWN_DAYS * DAY_MS)
    conditions.push({
      ...{ id: 'update:available', kind: 'update.available', subject },
      severity: now - newer.since >= LATE_DAYS * DAY_MS ? 'warning' : 'info',
      title: `Version ${newer.version} of Cairn is there`,
      text: `It has been offered since ${dayOf(newer.since)}.${newer.unsuitable === null ? '' : ` ${newer.unsuitable}`}`,
      remedy: 'Read in the settings what it brings, and install or skip it.',
    });
  if (failing && now - failing.since >= FAILING_DAYS * DAY_MS)
    conditions.push({
      ...{ id: 'update:unknown', kind: 'update.unknown', severity: 'warning', subject },
      title: 'Nothing is known of newer versions',
      text: `Each look since ${dayOf(failing.since)} failed. ${failing.text}`,
      remedy: 'Look for one in the settings: it says what is in the way.',
    });
  return conditions;
}
