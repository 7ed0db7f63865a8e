import type { Alert } from '$lib/shared/wire/alerts';
import { plural } from '$lib/ui/format';
import { showToast } from '$lib/ui/toast';
import { byUrgency, severityTone } from './words';

/** Tells of new critical alerts, wherever the reader is: one message for all that came at once. */
export function announceAlerts(alerts: Alert[]): void {
  const [first, ...others] = alerts.filter((alert) => alert.severity === 'critical').sort(byUrgency);
  if (!first || location.pathname === '/alerts') return;
  void showToast({
    tone: severityTone[first.severity],
    title: first.title,
    text: others.length === 0 ? first.text : `${first.text} And ${plural(others.length, 'more alert')}.`,
    link: { label: 'Show', href: '/alerts' },
  });
}
