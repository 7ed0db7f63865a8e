/**
 * How much one key or session may ask for: a bucket that fills again steadily. By who asks and never by address: behind one
 * address may be a whole house, and one stranger may have many.
 */
import type { Actor } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError } from '../errors';

/** Far more than pages or a sane script need; a loop that went wild is stopped. */
const PER_MINUTE = 3_000;
const BURST = 1_500;
const MOST_KEPT = 2_000;

export interface Rates {
  /** @throws AppError throttled, with `details.retryAfterSeconds` */
  take(actor: Actor): void;
}

export function createRates(clock: Pick<Clock, 'elapsed'>, perMinute = PER_MINUTE, burst = BURST): Rates {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take({ kind, id, sessionId }) {
      if (kind !== 'user' && kind !== 'api-key') return;
      const key = sessionId ?? `${kind}:${id}`;
      const now = clock.elapsed();
      const bucket = buckets.get(key) ?? { left: burst, at: now };
      const left = Math.min(burst, bucket.left + ((now - bucket.at) * perMinute) / 60_000);
      if (buckets.size >= MOST_KEPT) buckets.clear();
      buckets.set(key, { left: left < 1 ? left : left - 1, at: now });
      if (left >= 1) return;
      const seconds = Math.ceil(((1 - left) * 60) / perMinute);
      throw new AppError('throttled', `More than ${perMinute} calls a minute. Try again in ${seconds} s.`, {
        details: { retryAfterSeconds: seconds },
      });
    },
  };
}
