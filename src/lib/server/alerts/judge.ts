/**
 * What holds now, compared with what is open: what is to be raised, changed and resolved. Pure.
 *
 * A change of the machine arrives in pieces (the mount table a moment before what the tools say): a condition is raised
 * when it has held for a moment, and resolved when it has been over for one.
 */
import type { Alert, AlertSeverity } from '$lib/shared/wire/alerts';
import type { Condition, Judgement } from './condition';

const SETTLE_MS = 400;

/** Since when a condition has been waiting to be raised, or an alert to be resolved, by id. */
export type Waiting = ReadonlyMap<string, number>;
export interface Verdict {
  raise: Condition[];
  change: { condition: Condition; dropAcknowledgement: boolean }[];
  resolve: Alert[];
  waiting: Waiting;
  /** When to look again although nothing changes; null: not needed. */
  lookAgainMs: number | null;
}

const RANK: Record<AlertSeverity, number> = { info: 0, warning: 1, critical: 2 };

const differs = (alert: Alert, condition: Condition): boolean =>
  alert.severity !== condition.severity ||
  alert.title !== condition.title ||
  alert.text !== condition.text ||
  alert.remedy !== condition.remedy ||
  alert.subject.label !== condition.subject.label;

export function judge(
  open: Alert[],
  { conditions, unknown }: Judgement,
  before: Waiting,
  now: number,
): Verdict {
  const waiting = new Map<string, number>();
  let lookAgainMs: number | null = null;
  /** True when it has waited long enough; otherwise it goes on waiting. */
  const isSettled = (id: string, settleMs = SETTLE_MS): boolean => {
    const since = before.get(id) ?? now;
    const restMs = since + settleMs - now;
    if (restMs <= 0) return true;
    waiting.set(id, since);
    lookAgainMs = Math.min(lookAgainMs ?? restMs, restMs);
    return false;
  };
  const alerts = new Map(open.map((alert) => [alert.id, alert]));
  const holding = new Map(conditions.map((condition) => [condition.id, condition]));

  const raise = [...holding.values()].filter(
    (condition) => !alerts.has(condition.id) && isSettled(condition.id, condition.settleMs),
  );
  const change = [...holding.values()].flatMap((condition) => {
    const alert = alerts.get(condition.id);
    if (!alert || !differs(alert, condition)) return [];
    // Who has seen a warning has not seen that it became worse.
    return [{ condition, dropAcknowledgement: RANK[condition.severity] > RANK[alert.severity] }];
  });
  const resolve = open.filter((alert) => !holding.has(alert.id) && !unknown(alert.id) && isSettled(alert.id));
  return { raise, change, resolve, waiting, lookAgainMs };
}
