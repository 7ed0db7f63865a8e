/**
 * What is to be told. A message is written in the transaction that changes the alert; an attempt is noted before it is made.
 * So nothing is lost, and what a kill -9 interrupts is told once more, under the same id: at least once, never forgotten.
 */
import { randomUUID } from 'node:crypto';
import type { AlertSeverity } from '$lib/shared/wire/alerts';
import type { Clock } from '../clock';
import type { Db, Transaction } from '../db/client';
import { toAppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import { digestOf } from './digest';
import { messageOf, type Message, type News } from './message';
import { withoutSecrets, type Secrets } from './secrets';
import {
  channelRow,
  channelRows,
  dueChannels,
  heldMessages,
  insertMessage,
  knowsAlert,
  updateMessage,
  waitingMessages,
  type ChannelRow,
  type OutboxRow,
} from './store';
import { TooMany } from './tell';
import { GIVEN_UP_AFTER_MS, heldUntil, quietUntil, retryInMs } from './timing';

export interface OutboxParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  secretsOf(channel: ChannelRow): Secrets;
  /** @throws AppError with what went wrong, in words */
  send(channel: ChannelRow, id: string, message: Message, signal: AbortSignal): Promise<void>;
}
export interface Outbox {
  /** In the transaction that changes the alerts. */
  add(tx: Transaction, news: News[]): void;
  /** Tells what is due; resolves when each of it was told or failed. */
  deliver(): Promise<void>;
  /** After the settings of a channel changed: what is held may be due earlier now. */
  reconsider(tx: Transaction, channel: ChannelRow): void;
  stop(): Promise<void>;
}

const RANK: Record<AlertSeverity, number> = { info: 0, warning: 1, critical: 2 };

/** An alert about a channel that does not arrive would not arrive by it either. */
const isAboutItself = ({ alert }: News, channel: ChannelRow): boolean =>
  alert.subject.id === `channel:${channel.id}`;

function concerns(tx: Transaction, { alert, event }: News, channel: ChannelRow): boolean {
  if (event === 'resolved') return knowsAlert(tx, channel.id, alert.id, alert.raisedAt);
  return RANK[alert.severity] >= RANK[channel.minSeverity];
}

export function createOutbox({ db, bus, clock, log, secretsOf, send }: OutboxParts): Outbox {
  const stopped = new AbortController();
  let running: Promise<void> | null = null;
  let again = false;
  const changed = (): void => bus.emit('notifications.changed', {});

  /** @returns false when it failed: then the others of the channel wait too */
  async function tell(channel: ChannelRow, row: OutboxRow): Promise<boolean> {
    const attempts = row.attempts + 1;
    const firstTriedAt = row.firstTriedAt ?? clock.now();
    updateMessage(db, row.id, { attempts, firstTriedAt });
    try {
      await send(channel, row.id, row.message, stopped.signal);
    } catch (thrown) {
      // Nobody knows how far it came: it is due at the next start.
      if (stopped.signal.aborted) return false;
      const error = toAppError(thrown);
      if (error.code === 'bug') log.error({ error, channel: channel.id }, 'a message could not be told');
      const said = error.code === 'bug' ? 'Something went wrong inside Cairn; see its log.' : error.message;
      const now = clock.now();
      const isGivenUp = now - firstTriedAt >= GIVEN_UP_AFTER_MS;
      updateMessage(db, row.id, {
        lastError: withoutSecrets([said, error.remedy].filter(Boolean).join(' '), readable(channel)),
        dueAt: now + retryInMs(attempts, thrown instanceof TooMany ? thrown.retryAfterMs : null),
        ...(isGivenUp ? { state: 'failed', endedAt: now } : {}),
      });
      changed();
      return false;
    }
    updateMessage(db, row.id, { state: 'told', endedAt: clock.now(), lastError: null });
    changed();
    return true;
  }
  function readable(channel: ChannelRow): Secrets {
    try {
      return secretsOf(channel);
    } catch (error) {
      log.warn({ error, channel: channel.id }, 'the secrets of a channel cannot be read');
      return {};
    }
  }

  /** All that was held and is due now becomes one message. */
  function letGo(channel: ChannelRow): void {
    const now = clock.now();
    db.transaction((tx) => {
      const held = heldMessages(tx, channel.id).filter(({ dueAt }) => dueAt <= now);
      if (held.length === 0) return;
      insertMessage(tx, {
        ...{ id: randomUUID(), channelId: channel.id, state: 'waiting', dueAt: now, createdAt: now },
        message: digestOf(held, now),
      });
      for (const { id } of held) updateMessage(tx, id, { state: 'digested', endedAt: now });
    });
  }

  /** What could not be told before quiet hours began waits for their end as well. @returns whether it has to */
  function waitsForTheEnd(channel: ChannelRow, row: OutboxRow): boolean {
    const now = clock.now();
    if (row.message.severity === 'critical' && channel.criticalAtOnce) return false;
    const end = quietUntil(channel.quietHours, now);
    if (end === null) return false;
    updateMessage(db, row.id, { dueAt: end, ...(row.alertId === null ? {} : { state: 'held' }) });
    changed();
    return true;
  }

  async function serve(channelId: string): Promise<void> {
    const channel = channelRow(db, channelId);
    if (!channel) return;
    letGo(channel);
    const blocked = new Set<string | null>();
    for (const row of waitingMessages(db, channelId)) {
      if (stopped.signal.aborted) return;
      // The end of an alert is not told before its beginning.
      if (row.dueAt > clock.now() || blocked.has(row.alertId)) {
        if (row.alertId !== null) blocked.add(row.alertId);
        continue;
      }
      if (waitsForTheEnd(channel, row)) continue;
      if (await tell(channel, row)) continue;
      return;
    }
  }

  async function run(): Promise<void> {
    do {
      again = false;
      await Promise.all(dueChannels(db, clock.now()).map(serve));
    } while (again && !stopped.signal.aborted);
  }

  return {
    add(tx, news) {
      if (news.length === 0) return;
      const now = clock.now();
      for (const channel of channelRows(tx))
        for (const item of news) {
          if (isAboutItself(item, channel) || !concerns(tx, item, channel)) continue;
          const until = heldUntil(channel, item.alert.severity, now);
          insertMessage(tx, {
            ...{ id: randomUUID(), channelId: channel.id, createdAt: now },
            ...{ alertId: item.alert.id, alertRaisedAt: item.alert.raisedAt },
            message: messageOf(item, now),
            ...(until === null ? { state: 'waiting', dueAt: now } : { state: 'held', dueAt: until }),
          });
        }
    },
    async deliver() {
      if (stopped.signal.aborted) return;
      again = true;
      running ??= run().finally(() => {
        running = null;
      });
      await running;
    },
    reconsider(tx, channel) {
      const now = clock.now();
      for (const row of heldMessages(tx, channel.id)) {
        const until = heldUntil(channel, row.message.severity, now) ?? now;
        updateMessage(tx, row.id, { dueAt: until });
      }
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
