/** Where something can be done about an alert: a path of this appliance and what its link says. Pure. */
import type { Alert } from './wire/alerts';

/** @returns null: nowhere */
export function placeOf({
  id,
  kind,
  subject,
}: Pick<Alert, 'id' | 'kind' | 'subject'>): { href: string; title: string } | null {
  // The one of them that failed last; there may be several by now.
  if (kind === 'operation.failed') return { href: '/operations', title: 'Show the operations' };
  if (kind.startsWith('operation.'))
    return { href: `/operations/${id.split(':')[1] ?? ''}`, title: 'Open the operation' };
  if (subject.type === 'pool') return { href: `/pools/${subject.id}`, title: 'Open the pool' };
  if (subject.type === 'vm') return { href: `/vms/${subject.id}`, title: 'Open the machine' };
  if (subject.type === 'drive')
    return { href: `/drives?drive=${encodeURIComponent(subject.id)}`, title: 'Show the drive' };
  if (kind.startsWith('channel.')) return { href: '/settings/notifications', title: 'Show the channels' };
  if (kind.startsWith('update.')) return { href: '/settings#updates', title: 'Show the updates' };
  return kind.startsWith('plugin.') ? { href: '/settings', title: 'Show the plugins' } : null;
}
