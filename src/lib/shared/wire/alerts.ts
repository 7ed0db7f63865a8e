import type { SubjectType } from './operations';

export type AlertSeverity = 'info' | 'warning' | 'critical';

/** A condition that holds, or held. It is raised once, and resolves by itself when it holds no longer. */
export interface Alert {
  /** Names the condition and its subject while it is open: `pool:<guid>:degraded`. A resolved one has its time behind. */
  id: string;
  kind: string;
  severity: AlertSeverity;
  subject: { type: SubjectType; id: string; label: string };
  title: string;
  text: string;
  /** What to do; null: nothing can be done by a person. */
  remedy: string | null;
  raisedAt: number;
  changedAt: number;
  /** Null while it holds. */
  resolvedAt: number | null;
  /** Somebody has seen it; it stays until it is resolved. */
  acknowledgedAt: number | null;
  acknowledgedBy: string | null;
}
export interface AlertList {
  /** All that hold now, the worst and newest first. */
  open: Alert[];
  /** Those that are over, the newest first. */
  resolved: Alert[];
  /** Pass as `before` for older resolved ones; null at the end. */
  nextBefore: string | null;
}
