/** When is a pool nearly full? Pure. What was raised falls only three points lower, so that a value at a limit does not flap. */
import type { AlertSeverity } from '$lib/shared/wire/alerts';

const WARNING = 0.85;
const CRITICAL = 0.95;
const FALLS_BY = 0.03;

/** @param share used part of what can be used, 0 to 1 */
export function fullness(share: number, held: AlertSeverity | null): 'warning' | 'critical' | null {
  const critical = held === 'critical' ? CRITICAL - FALLS_BY : CRITICAL;
  if (share >= critical) return 'critical';
  const warning = held === null ? WARNING : WARNING - FALLS_BY;
  return share >= warning ? 'warning' : null;
}
