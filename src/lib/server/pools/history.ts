/**
 * The history of a pool: who writes it says so with {@link recordEvent}; nothing is read from it to decide about a pool.
 * Whatever is known from events (operations that end) is written here; what is seen on drives, by whoever sees it.
 */
import { isLive, type PoolEventKind } from '$lib/shared/states';
import type { Alert } from '$lib/shared/wire/alerts';
import type { Operation } from '$lib/shared/wire/operations';
import type { PoolEventPage } from '$lib/shared/wire/pool-history';
import type { Clock } from '../clock';
import type { Db, Transaction } from '../db/client';
import type { Bus } from '../events/bus';
import type { Operations } from '../operations/types';
import { alertEvent, operationEvent, workEvents } from './history-events';
import { deleteEventsBefore, hasOperationEvent, insertEvent, latestText, pageEvents } from './history-store';
import type { Pools } from './pool';
import { findPool } from './store';

interface Happening {
  poolGuid: string;
  /** Milliseconds since the epoch. */
  at: number;
  kind: PoolEventKind;
  /** One sentence for people: "Drive WD-123 was taken out by something else than Cairn." */
  text: string;
  operationId?: string | null;
}

/**
 * Writes one event. In a transaction, give that as `db`: pages are told when it has been committed.
 * The same sentence is not held back here: whoever sees something again and again compares before.
 */
export function recordEvent(to: { db: Db | Transaction; bus: Bus }, event: Happening): void {
  insertEvent(to.db, { operationId: null, ...event });
  queueMicrotask(() => to.bus.emit('pool.history', { guid: event.poolGuid }));
}

/** Older events are forgotten. */
const KEPT_MS = 3 * 366 * 24 * 3_600_000;

export interface PoolHistory {
  /** Newest first. A pool that is gone still has one; one that never was has none. */
  page(poolGuid: string, options: { before?: number | null | undefined; limit: number }): PoolEventPage;
  start(): void;
  stop(): void;
  /** By the clock: forgets what is old. */
  cleanUp(): void;
}

interface HistoryParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  operations: Pick<Operations, 'get' | 'page'>;
  pools: Pick<Pools, 'list'>;
}

/** As many ended operations as are compared with the history after a start. */
const CATCH_UP = 200;

export function createPoolHistory({ db, bus, clock, operations, pools }: HistoryParts): PoolHistory {
  const subscriptions: (() => void)[] = [];

  function recordOperation(operation: Operation): void {
    const { subject, state, id } = operation;
    if (subject.type !== 'pool' || isLive(state) || hasOperationEvent(db, subject.id, id)) return;
    const at = operation.endedAt ?? clock.now();
    recordEvent({ db, bus }, { poolGuid: subject.id, at, operationId: id, ...operationEvent(operation) });
  }

  function recordAlert(alert: Alert, change: 'raised' | 'resolved'): void {
    const event = alertEvent(alert, change);
    // A pool that was removed has not recovered.
    if (!event || !findPool(db, event.guid)) return;
    const { guid, kind, text } = event;
    recordEvent({ db, bus }, { poolGuid: guid, at: clock.now(), kind, text });
  }

  /** What the kernel does, by pool: only when that has changed, the history is asked what is in it already. */
  const seen = new Map<string, string>();
  function recordWork(): void {
    for (const pool of pools.list()) {
      // A pool that could not be read now, or is not mounted, says nothing about work.
      if (pool.poolStatus === null) continue;
      const kinds = pool.work.map((work) => work.kind).join();
      if (seen.get(pool.guid) === kinds) continue;
      seen.set(pool.guid, kinds);
      const isOpen = (begin: string, kind: PoolEventKind, word: string): boolean =>
        latestText(db, pool.guid, kind, word)?.startsWith(begin) ?? false;
      for (const event of workEvents(pool, isOpen))
        recordEvent({ db, bus }, { poolGuid: pool.guid, at: clock.now(), ...event });
    }
  }

  return {
    page(poolGuid, { before, limit }) {
      const guid = poolGuid.toLowerCase();
      const items = pageEvents(db, guid, { before: before ?? null, limit: limit + 1 });
      const shown = items.slice(0, limit);
      return { items: shown, nextBefore: items.length > limit ? (shown.at(-1)?.id ?? null) : null };
    },
    start() {
      // What ended in the moment of a crash was committed, and nobody was told.
      const ended = operations.page({ limit: CATCH_UP }).items.toReversed();
      for (const operation of ended) recordOperation(operation);
      subscriptions.push(
        bus.on('operation.ended', ({ id }) => recordOperation(operations.get(id))),
        bus.on('pools.changed', recordWork),
        bus.on('alert.changed', ({ alert, change }) => {
          if (change === 'raised' || change === 'resolved') recordAlert(alert, change);
        }),
      );
    },
    stop() {
      for (const end of subscriptions) end();
    },
    cleanUp: () => deleteEventsBefore(db, clock.now() - KEPT_MS),
  };
}
