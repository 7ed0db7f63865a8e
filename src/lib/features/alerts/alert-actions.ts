/** What can be done to an alert. It is resolved by what it is about, never by hand. */
import Eye from '@lucide/svelte/icons/eye';
import { trpc } from '$lib/client/trpc';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Action } from '$lib/ui/action';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

export const acknowledgeAction = (alert: Alert, access: Access): Action => ({
  id: 'alert.acknowledge',
  title: 'Acknowledge',
  icon: Eye,
  shown: alert.resolvedAt === null && alert.acknowledgedAt === null,
  why: access.why('operator'),
  run: () => void attempt(() => trpc().alerts.acknowledge.mutate({ id: alert.id })),
});
