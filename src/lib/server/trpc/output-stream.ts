import { isLive } from '$lib/shared/states';
import type { OutputLine } from '$lib/shared/wire/operations';
import type { Services } from '../services';

const PAGE = 500;

/**
 * Lines of an operation's commands after a line id, a batch at a time: what is on disk first, then what comes. Ends
 * after the last line of an operation that has ended, or when `signal` aborts.
 * @throws AppError operation_not_found
 */
export async function* outputLines(
  { bus, operations }: Pick<Services, 'bus' | 'operations'>,
  id: string,
  after: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<OutputLine[], void> {
  operations.get(id);
  let dirty = true;
  let wake: (() => void) | null = null;
  const touch = (operationId: string): void => {
    if (operationId !== id) return;
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
    let last = after;
    while (!signal?.aborted) {
      dirty = false;
      const lines = operations.outputs(id, { after: last, limit: PAGE });
      if (lines.length > 0) {
        last = lines.at(-1)?.id ?? last;
        yield lines;
        continue;
      }
      if (!isLive(operations.get(id).state)) return;
      if (!dirty)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      wake = null;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    for (const end of unsubscribe) end();
  }
}
