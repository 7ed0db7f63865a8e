/** What happened while Cairn was off: one report for each of its starts. */
import type { AlertSeverity } from './alerts';
import type { OperationState, Verdict } from '../states';

/**
 * first: there was none before. stopped: Cairn was stopped and started, the host stayed on. crashed: Cairn ended without being asked
 * to. host-restarted: the host went down in order. power-lost: the host went down without warning.
 */
export const BOOT_CAUSES = ['first', 'stopped', 'crashed', 'host-restarted', 'power-lost'] as const;
export type BootCause = (typeof BOOT_CAUSES)[number];

export interface BootReport {
  id: string;
  startedAt: number;
  cause: BootCause;
  /** A sentence about the cause. */
  text: string;
  /** When it was known to run last; null: never. */
  downSince: number | null;
  /** It may have run up to a minute longer. */
  isApproximate: boolean;
  version: string;
  /** Another version ran before; null: the same one. */
  versionBefore: string | null;
  /** Those that were interrupted, and what became of them. */
  operations: { id: string; title: string; state: OperationState; verdict: Verdict | null }[];
  drives: { id: string; label: string; change: 'gone' | 'came' }[];
  pools: { guid: string; label: string; before: string; now: string }[];
  /** In the first minutes after the start. */
  alerts: { id: string; title: string; severity: AlertSeverity; change: 'raised' | 'resolved' }[];
  /** Drives and pools have been compared. */
  isComplete: boolean;
  /** Somebody has read it; null: it is still to be seen. */
  dismissedAt: number | null;
}
export interface BootPage {
  items: BootReport[];
  /** Pass as `before` for older ones; null at the end. */
  nextBefore: string | null;
}
/** One that says nothing but that Cairn was started again calls nobody. */
export const isWorthSeeing = ({ cause, operations, drives, pools, alerts }: BootReport): boolean =>
  cause !== 'first' &&
  (cause !== 'stopped' || operations.length + drives.length + pools.length + alerts.length > 0);
