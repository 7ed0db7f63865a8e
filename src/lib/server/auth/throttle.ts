/**
 * Slows guessing down, by account and by address. The counters are on disk: a restart forgives nothing.
 *
 * An attempt counts as failed from its beginning, because the check of a password takes long enough to start a hundred
 * more meanwhile; one that succeeds takes its count back.
 */
import type { Clock } from '../clock';
import { AppError } from '../errors';
import type { AuthStore } from './store';

interface Rule {
  /** Failures that cost nothing: typing errors. */
  free: number;
  /** Longest wait. An account must not stay shut for its owner because a stranger guesses at it. */
  maxMs: number;
}
const RULES = {
  user: { free: 4, maxMs: 5 * 60_000 },
  address: { free: 10, maxMs: 15 * 60_000 },
  totp: { free: 4, maxMs: 5 * 60_000 },
  setup: { free: 4, maxMs: 15 * 60_000 },
} satisfies Record<string, Rule>;
const FORGET_MS = 24 * 3_600_000;

export type ThrottleKey = { kind: keyof typeof RULES; value: string };

/**
 * What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, because a host has all of that to
 * itself.
 */
export function addressOf(address: string): string {
  const bare = address.split('%')[0]?.toLowerCase() ?? '';
  if (bare.startsWith('::ffff:') && bare.includes('.')) return bare.slice('::ffff:'.length);
  if (!bare.includes(':')) return bare;
  const [head = '', tail = ''] = bare.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const zeros = bare.includes('::')
    ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
    : [];
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}

export function createThrottle(store: Pick<AuthStore, 'throttle'>, clock: Clock) {
  const nameOf = (key: ThrottleKey): string => `${key.kind}:${key.value}`;

  /** Milliseconds until the next attempt may be made; a clock that was set back never makes it longer than the rule. */
  function waitMs(key: ThrottleKey): number {
    const row = store.throttle.get(nameOf(key));
    return row ? Math.min(Math.max(0, row.blockedUntil - clock.now()), RULES[key.kind].maxMs) : 0;
  }

  function count(key: ThrottleKey, by: 1 | -1): void {
    const now = clock.now();
    const row = store.throttle.get(nameOf(key));
    const before = row && now - row.lastAt < FORGET_MS ? row.failures : 0;
    const failures = Math.max(0, before + by);
    const rule = RULES[key.kind];
    const over = failures - rule.free;
    const delay = over > 0 ? Math.min(rule.maxMs, 1_000 * 2 ** Math.min(over - 1, 20)) : 0;
    store.throttle.put({ key: nameOf(key), failures, blockedUntil: now + delay, lastAt: now });
  }

  return {
    /**
     * Counts an attempt.
     * @returns to be called when it succeeded: clears the account's count and takes back one of the address
     * @throws AppError throttled, with the seconds to wait in its message and in `details.retryAfterSeconds`
     */
    attempt(keys: ThrottleKey[]): () => void {
      const wait = Math.max(...keys.map(waitMs));
      if (wait > 0) {
        const seconds = Math.ceil(wait / 1_000);
        throw new AppError('throttled', `Too many failed attempts. Try again in ${seconds} s.`, {
          details: { retryAfterSeconds: seconds },
          remedy: `Wait ${seconds} s, then try again.`,
        });
      }
      for (const key of keys) count(key, 1);
      return () => {
        for (const key of keys) {
          if (key.kind === 'address') count(key, -1);
          else store.throttle.remove(nameOf(key));
        }
      };
    },
    /** Attempts on an account count no more: it is known to be its owner's. */
    forget: (key: ThrottleKey): void => store.throttle.remove(nameOf(key)),
    /** Cron: forgets what is older than a day. */
    cleanUp(): void {
      store.throttle.removeOlder(clock.now() - FORGET_MS, clock.now());
    },
  };
}
