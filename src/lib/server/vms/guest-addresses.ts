/**
 * What guests tell of their addresses: asked when one comes on, when its agent has come up, and from time to time as long as it
 * answers and somebody looks. One that does not answer keeps nobody waiting but the others that are asked after it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../log';

/** At the same time. */
const AT_ONCE = 4;
const AGAIN_MS = 30_000;
/** An agent is up before its network is. */
const SOON_MS = 3_000;
const SOON_TIMES = 20;

export interface GuestAddresses {
  /** Empty: it is off, or says nothing. */
  of(id: string): string[];
  /** Those that are on; who came or went is noticed. */
  follow(on: string[]): void;
  /** The guest can be asked from now on. */
  heard(id: string): void;
  watchers(count: number): void;
  stop(): void;
}

export function createGuestAddresses(deps: {
  /** null: it does not answer. */
  ask: (id: string) => Promise<string[] | null>;
  changed: () => void;
  log: Pick<Logger, 'debug'>;
}): GuestAddresses {
  const { ask, changed, log } = deps;
  let on = new Set<string>();
  /** Of those that answered the last time. */
  const known = new Map<string, string[]>();
  const waiting = new Set<string>();
  const asking = new Set<string>();
  /** How often one that answers without an address is asked again soon. */
  const tries = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let again: NodeJS.Timeout | undefined;
  let stopped = false;

  function enqueue(id: string): void {
    if (stopped || !on.has(id)) return;
    waiting.add(id);
    next();
  }
  function next(): void {
    for (const id of waiting) {
      if (asking.size >= AT_ONCE) return;
      if (asking.has(id)) continue;
      waiting.delete(id);
      asking.add(id);
      void askOne(id).finally(() => {
        asking.delete(id);
        next();
      });
    }
  }
  async function askOne(id: string): Promise<void> {
    let answer: string[] | null = null;
    try {
      answer = await ask(id);
    } catch (error) {
      // What it said before is no answer to what is so now.
      log.debug({ error, id }, 'a guest could not be asked for its addresses');
    }
    if (stopped || !on.has(id)) return;
    const before = known.get(id) ?? [];
    if (answer === null) known.delete(id);
    else known.set(id, answer);
    if (answer?.length === 0) askSoon(id);
    else tries.delete(id);
    if (!isDeepStrictEqual(before, answer ?? [])) changed();
  }
  function askSoon(id: string): void {
    const count = tries.get(id) ?? 0;
    if (count >= SOON_TIMES) return;
    tries.set(id, count + 1);
    clearTimeout(timers.get(id));
    timers.set(
      id,
      setTimeout(() => enqueue(id), SOON_MS),
    );
  }
  function forget(id: string): void {
    known.delete(id);
    tries.delete(id);
    waiting.delete(id);
    clearTimeout(timers.get(id));
    timers.delete(id);
  }

  return {
    of: (id) => known.get(id) ?? [],
    follow(now) {
      const before = on;
      on = new Set(now);
      for (const id of before) if (!on.has(id)) forget(id);
      for (const id of on) if (!before.has(id)) enqueue(id);
    },
    heard(id) {
      tries.delete(id);
      enqueue(id);
    },
    watchers(count) {
      if (count === 0) {
        clearInterval(again);
        again = undefined;
      } else
        again ??= setInterval(() => {
          for (const id of known.keys()) enqueue(id);
        }, AGAIN_MS);
    },
    stop() {
      stopped = true;
      clearInterval(again);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
