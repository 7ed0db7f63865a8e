/**
 * Work of the kernel causes no event: a pool with which something is done is read again every few seconds while somebody
 * looks, now and then while nobody does; and one that was idle now and then while somebody looks, since a scrub may have
 * been begun in a shell. A pool on another machine is asked all the time: what waits for its return is told by nobody else.
 */
import type { Logger } from '../log';

const TICK_MS = 1_000;
const EVERY_MS = { busy: { watched: 3_000, alone: 60_000 }, idle: { watched: 30_000, alone: Infinity } };

export interface SampledPool {
  guid: string;
  /** The kernel was at something when it was read last. */
  busy: boolean;
  readAt: number;
  /** Nothing tells of a change in it: it is read again after so long, whoever looks. */
  everyMs?: number;
}

export function createWorkSampler(parts: {
  pools: () => SampledPool[];
  watched: () => boolean;
  read: (guid: string) => Promise<void>;
  now: () => number;
  log: Logger;
}): { stop: () => void } {
  const underWay = new Set<string>();

  async function sample(guid: string): Promise<void> {
    if (underWay.has(guid)) return;
    underWay.add(guid);
    try {
      await parts.read(guid);
    } catch (error) {
      parts.log.debug({ error, pool: guid }, 'a pool could not be sampled');
    } finally {
      underWay.delete(guid);
    }
  }
  const timer = setInterval(() => {
    const who = parts.watched() ? 'watched' : 'alone';
    for (const { guid, busy, readAt, everyMs } of parts.pools())
      if (parts.now() - readAt >= (everyMs ?? EVERY_MS[busy ? 'busy' : 'idle'][who])) void sample(guid);
  }, TICK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
