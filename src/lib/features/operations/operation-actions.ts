/** What can be done to an operation. */
import CircleStop from '@lucide/svelte/icons/circle-stop';
import FileDown from '@lucide/svelte/icons/file-down';
import HandIcon from '@lucide/svelte/icons/hand';
import RotateCcw from '@lucide/svelte/icons/rotate-ccw';
import { goto } from '$app/navigation';
import { trpc } from '$lib/client/trpc';
import { isLive } from '$lib/shared/states';
import type { Operation } from '$lib/shared/wire/operations';
import type { Action } from '$lib/ui/action';
import { saveText } from '$lib/ui/copy-text';
import type { Access } from '../session/access';
import { attempt } from '../session/attempt';

function whyNotCancel(operation: Operation): string | null {
  if (operation.cancelRequested) return 'It is being cancelled already.';
  if (!operation.canCancel)
    return 'It has passed the point where it could be taken back, and will be finished.';
  return null;
}

async function retry(id: string): Promise<void> {
  const again = await attempt(() => trpc().operations.retry.mutate({ id }));
  if (again) await goto(`/operations/${again.id}`);
}

export async function saveScript(id: string, name: string): Promise<void> {
  const script = await attempt(() => trpc().operations.script.query({ id }));
  if (script !== null) saveText(`${name}.sh`, script);
}

export function operationActions(operation: Operation, access: Access): Action[] {
  const { id, state } = operation;
  const resolve = (decision: 'try-again' | 'leave-as-is'): void =>
    void attempt(() => trpc().operations.resolve.mutate({ id, decision }));
  return [
    {
      id: 'operation.try-again',
      title: 'Look again and go on',
      icon: RotateCcw,
      shown: state === 'needs-attention',
      why: access.why('operator'),
      run: () => resolve('try-again'),
    },
    {
      id: 'operation.leave',
      title: 'Leave as it is',
      icon: HandIcon,
      shown: state === 'needs-attention',
      why: access.why('operator'),
      run: () => resolve('leave-as-is'),
    },
    {
      id: 'operation.cancel',
      title: operation.cancelRequested ? 'Cancelling' : 'Cancel',
      icon: CircleStop,
      tone: 'danger',
      shown: state === 'running',
      why: access.why('operator') ?? whyNotCancel(operation),
      run: () => void attempt(() => trpc().operations.cancel.mutate({ id })),
    },
    {
      id: 'operation.retry',
      title: 'Try again',
      icon: RotateCcw,
      shown: state === 'failed' || state === 'cancelled',
      why:
        access.why('operator') ??
        (operation.canRetry
          ? null
          : 'What it was asked for cannot be asked for again as it was. Start anew instead.'),
      run: () => void retry(id),
    },
    {
      id: 'operation.script',
      title: 'Save as script',
      icon: FileDown,
      shown: !isLive(state) || state === 'needs-attention' || operation.steps.length > 0,
      why: null,
      run: () => void saveScript(id, `${operation.kind.replace('.', '-')}-${operation.seq}`),
    },
  ];
}
