import type { Operation } from '$lib/shared/wire/operations';
import { showToast } from '$lib/ui/toast';
import { stateTone } from './words';

const heads: Partial<Record<Operation['state'], string>> = {
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled and taken back',
  'needs-attention': 'Needs you',
};

/** Tells, wherever the reader is, how an operation ended. On its own page everything is said already. */
export function announceEnd(operation: Operation): void {
  if (location.pathname === `/operations/${operation.id}`) return;
  void showToast({
    tone: stateTone[operation.state],
    title: `${heads[operation.state] ?? operation.state}: ${operation.title}`,
    text:
      operation.state === 'failed' || operation.state === 'needs-attention' ? operation.error?.message : null,
    link: { label: 'Show', href: `/operations/${operation.id}` },
  });
}
