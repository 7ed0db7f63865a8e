/** An operation as it goes on, for programs: what it is now, what its commands print, and how it ends. */
import { isLive } from '$lib/shared/states';
import type { Operation, OutputLine } from '$lib/shared/wire/operations';
import type { Bus } from '../events/bus';
import type { Operations } from './types';

export type FollowLine = { operation: Operation } | { output: OutputLine };
const PAGE = 500;

/**
 * The operation first, then a line for each change and each line of output, in order. The last one is the operation as it ended; one
 * that needs somebody's decision counts as ended, since it goes no further by itself.
 * @throws AppError operation_not_found
 */
export async function* followOperation(
  { bus, operations }: { bus: Bus; operations: Operations },
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<FollowLine, void> {
  operations.get(id);
  let dirty = true;
  let wake: (() => void) | null = null;
  const touch = (about: string): void => {
    if (about !== id) return;
    dirty = true;
    wake?.();
  };
  const onAbort = (): void => wake?.();
  const unsubscribe = [
    bus.on('operation.output', (event) => touch(event.operationId)),
    bus.on('operation.changed', (event) => touch(event.id)),
    bus.on('operation.ended', (event) => touch(event.id)),
  ];
  signal?.addEventListener('abort', onAbort);
  try {
    let shown = '';
    let after = 0;
    while (!signal?.aborted) {
      dirty = false;
      // Read before the output: what a command printed comes before the news that it ended.
      const operation = operations.get(id);
      const lines = operations.outputs(id, { after, limit: PAGE });
      for (const output of lines) yield { output };
      after = lines.at(-1)?.id ?? after;
      if (lines.length === PAGE) continue;
      const text = JSON.stringify(operation);
      if (text !== shown) yield { operation };
      shown = text;
      if (!isLive(operation.state) || operation.state === 'needs-attention') return;
      if (!dirty) await new Promise<void>((resolve) => (wake = resolve));
      wake = null;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    for (const end of unsubscribe) end();
  }
}
