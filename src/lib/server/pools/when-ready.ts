/** Whoever needs the files of a pool waits here until they are there: a VM at the start of the machine, a job, a share. */
import type { Pool } from '$lib/shared/wire/pools';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';

export interface ReadyOptions {
  /** Default: for ever. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Can its files be used now? Degraded is fine; a server or drives that are gone are not. */
export const isReady = (pool: Pool): boolean =>
  pool.state === 'ready' && pool.mounted && pool.poolStatus !== 'failed' && pool.poolStatus !== 'missing';

/**
 * @returns the pool, once it is mounted and can be used
 * @throws AppError pool_not_found (also when it is removed meanwhile), pool_not_ready when the time is over, cancelled
 */
export function whenReady(
  { bus, get }: { bus: Bus; get: (guid: string) => Pool },
  guid: string,
  { timeoutMs, signal }: ReadyOptions = {},
): Promise<Pool> {
  const waiting = Promise.withResolvers<Pool>();
  const look = (): void => {
    try {
      const pool = get(guid);
      if (isReady(pool)) waiting.resolve(pool);
    } catch (error) {
      waiting.reject(error);
    }
  };
  const tooLate = (): void => {
    try {
      const pool = get(guid);
      const why = pool.waiting ?? pool.healthText ?? `It is ${pool.mounted ? 'mounted' : 'not mounted'}.`;
      waiting.reject(new AppError('pool_not_ready', `The pool "${pool.label}" is not ready. ${why}`));
    } catch (error) {
      waiting.reject(error);
    }
  };
  const cancel = (): void =>
    waiting.reject(new AppError('cancelled', 'Waiting for a pool was cancelled.', { cause: signal?.reason }));
  const ends = [bus.on('pools.changed', look), bus.on('pool.changed', look)];
  const timer = timeoutMs === undefined ? undefined : setTimeout(tooLate, timeoutMs);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  look();
  return waiting.promise.finally(() => {
    for (const end of ends) end();
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  });
}
