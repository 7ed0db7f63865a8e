import type { Alert, AlertSeverity } from '$lib/shared/wire/alerts';

/** Something that holds now and that a person should know. Names itself, so that it is raised once. */
export interface Condition extends Pick<Alert, 'id' | 'kind' | 'subject' | 'title' | 'text' | 'remedy'> {
  severity: AlertSeverity;
  /** How long it has to hold, or to be over, before that is told. Default: what a change takes to settle. */
  settleMs?: number;
}
/** What was judged: the conditions that hold, and of which alerts nothing can be said now. */
export interface Judgement {
  conditions: Condition[];
  /** An alert whose subject cannot be asked now stays as it is. */
  unknown: (alertId: string) => boolean;
}
/** The open alert of this id, for conditions whose values swing. */
export type Held = (alertId: string) => AlertSeverity | null;
