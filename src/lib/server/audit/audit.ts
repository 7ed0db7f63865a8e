/**
 * Who did what, from where, and how it ended. The entry of a call that changes something is on disk before the call begins:
 * a kill -9 leaves it there as `begun`, and the next start says that it was interrupted. What was denied changes nothing,
 * so it is written afterwards, and the same thing denied again within a minute is counted rather than written: nobody
 * without an account can push the log out of its own end.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditKind, AuditOutcome } from '$lib/shared/audit-words';
import type { AuditEntry, AuditFilter, AuditPage, AuditQuery } from '$lib/shared/wire/audit';
import type { Actor, SignInView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { toAppError, type AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import { zodToAppError } from '../wire-error';
import { createRepeats } from './repeats';
import { redacted } from './redact';
import { createAuditStore, type NewAuditRow } from './store';

export interface AuditCall {
  actor: Actor | null;
  /** Who they say they are, where there is no actor yet. */
  claims?: string;
  address: string;
  userAgent: string;
  what: string;
  input?: unknown;
}
export interface Audit {
  /**
   * Runs an act whose entry is on disk before it begins.
   * @param errorOf what went wrong, for acts that answer with their error instead of throwing it
   * @throws what `act` throws; AppError database_unwritable when the entry cannot be written, and then nothing has begun
   */
  act<T>(call: AuditCall, act: () => Promise<T>, errorOf?: (result: T) => unknown): Promise<T>;
  /** A call that was denied. Never throws. */
  denied(call: AuditCall, error: unknown): void;
  /** Somebody signs in: written before the session is there. */
  signedIn(call: AuditCall): void;
  page(query: AuditQuery): AuditPage;
  /** The last ones of an account, and of who did not get into it, newest first. */
  signIns(actor: Pick<Actor, 'id' | 'name'>): SignInView[];
  /** Every entry that fits, newest first. */
  all(filter: AuditFilter): Generator<AuditEntry, void>;
  /** Says when there is something new, with the newest id; at most twice a second. */
  follow(signal: AbortSignal | undefined): AsyncGenerator<{ newestId: number }, void>;
  cleanUp(): void;
  stop(): void;
}

export interface AuditParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  config: Pick<Config, 'keepAudit' | 'keepAuditDays'>;
}

const DAY_MS = 86_400_000;
const TELL_MS = 500;
const EXPORT_PIECE = 500;
const SIGN_INS = 30;

const outcomeOf = ({ status }: AppError): AuditOutcome =>
  [401, 403, 429].includes(status) ? 'denied' : status < 500 ? 'refused' : 'failed';

export function createAudit({ db, bus, clock, log, config }: AuditParts): Audit {
  const store = createAuditStore(db);
  const inCall = new AsyncLocalStorage<{ operationId: string | null }>();
  const interrupted = store.interrupt(clock.now());
  if (interrupted > 0) log.warn({ calls: interrupted }, 'calls were interrupted by the end of the process');
  // The first operation that changes while a call runs is the one that it began, or did something to.
  const stopNoting = bus.on('operation.changed', ({ id }) => {
    const call = inCall.getStore();
    if (call) call.operationId ??= id;
  });

  const rowOf = (kind: AuditKind, call: AuditCall, outcome: AuditOutcome): NewAuditRow => ({
    kind,
    at: clock.now(),
    actorKind: call.actor?.kind ?? 'nobody',
    actorId: call.actor?.id ?? null,
    actorName: call.actor?.name ?? call.claims ?? '',
    address: call.address.slice(0, 100),
    userAgent: call.userAgent.slice(0, 300),
    what: call.what.slice(0, 200),
    input: redacted(call.input),
    outcome,
  });
  function insert(row: NewAuditRow): number {
    const id = store.insert(row);
    bus.emit('audit.changed', { newestId: id });
    return id;
  }
  /** For what has happened already: that it cannot be written must not undo it. */
  function note(row: NewAuditRow): void {
    try {
      insert(row);
    } catch (error) {
      log.error({ error, what: row.what, who: row.actorName }, 'audit entry could not be written');
    }
  }
  const repeats = createRepeats(note);

  async function act<T>(
    call: AuditCall,
    run: () => Promise<T>,
    errorOf: (result: T) => unknown = () => undefined,
  ): Promise<T> {
    let id: number;
    try {
      id = insert(rowOf('change', call, 'begun'));
    } catch (error) {
      throw toAppError(error);
    }
    const seen = { operationId: null };
    const end = (thrown: unknown): void => {
      const error = thrown === undefined ? null : zodToAppError(thrown);
      try {
        store.end(id, {
          outcome: error ? outcomeOf(error) : 'done',
          code: error?.code ?? null,
          operationId: seen.operationId,
          endedAt: clock.now(),
        });
        bus.emit('audit.changed', { newestId: id });
      } catch (failure) {
        log.error({ error: failure, what: call.what }, 'the end of a call could not be written');
      }
    };
    return inCall.run(seen, async () => {
      try {
        const result = await run();
        end(errorOf(result));
        return result;
      } catch (error) {
        end(error);
        throw error;
      }
    });
  }

  return {
    act,
    denied(call, thrown) {
      const error = zodToAppError(thrown);
      const kind = call.what.startsWith('session.') ? 'sign-in' : 'denied';
      repeats.add({ ...rowOf(kind, call, outcomeOf(error)), code: error.code, endedAt: clock.now() });
    },
    signedIn: (call) => void insert({ ...rowOf('sign-in', call, 'done'), endedAt: clock.now() }),
    page({ before = null, limit, ...filter }) {
      const rows = store.page(filter, before, limit + 1);
      const items = rows.slice(0, limit);
      return { items, nextBefore: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    signIns: ({ id: userId, name }) =>
      store.signIns(userId, name, SIGN_INS).map(({ id, at, address, userAgent, outcome, code, times }) => ({
        ...{ id, at, address, userAgent, outcome, code, times },
      })),
    *all(filter) {
      for (let before: number | null = null; ;) {
        const rows = store.page(filter, before, EXPORT_PIECE);
        yield* rows;
        before = rows.at(-1)?.id ?? null;
        if (before === null) return;
      }
    },
    async *follow(signal) {
      let newestId = 0;
      let isNew = true;
      let wake: (() => void) | null = null;
      const tell = (): void => wake?.();
      const end = bus.on('audit.changed', (event) => {
        newestId = event.newestId;
        isNew = true;
        tell();
      });
      signal?.addEventListener('abort', tell);
      try {
        while (!signal?.aborted) {
          if (isNew) {
            isNew = false;
            yield { newestId };
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, TELL_MS);
              signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
            });
            continue;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        end();
        signal?.removeEventListener('abort', tell);
      }
    },
    cleanUp() {
      store.shorten(config.keepAudit, clock.now() - config.keepAuditDays * DAY_MS);
    },
    stop() {
      repeats.stop();
      stopNoting();
    },
  };
}
