/** Tells people of alerts: channels, what is on its way by them, and the address that links in messages begin with. */
import type {
  ChannelRequest,
  ChannelView,
  DeliveryView,
  NotificationsView,
  TestResult,
} from '$lib/shared/wire/notifications';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db, Transaction } from '../db/client';
import { AppError, issue, issuesError, toAppError } from '../errors';
import type { Bus } from '../events/bus';
import { hostAuthorities } from '../host/told-address';
import type { Logger } from '../log';
import { channelView, newRow, readyChannel, type ReadyChannel } from './channels';
import { testMessage, word, type Message, type News } from './message';
import { createOutbox } from './outbox';
import { createChannelSecrets, withoutSecrets, type Secrets } from './secrets';
import {
  baseUrlOf,
  channelNamed,
  channelRow,
  channelRows,
  deleteChannel,
  forgetMessagesBefore,
  insertChannel,
  lateChannels,
  latestMessages,
  setBaseUrl,
  tryNow,
  updateChannel,
  type ChannelRow,
  type OutboxRow,
  type Trouble,
} from './store';
import { TELL, type Net } from './tell';
import { LATE_AFTER_MS } from './timing';

export interface Notifications {
  view(): NotificationsView;
  /** Again whenever it has changed, until `signal` aborts. */
  follow(signal: AbortSignal | undefined): AsyncGenerator<NotificationsView, void>;
  create(request: ChannelRequest): Promise<ChannelView>;
  /** @throws AppError channel_not_found and those of create */
  update(id: string, request: ChannelRequest): Promise<ChannelView>;
  remove(id: string): void;
  /** Sends a message by a channel that is kept. */
  test(id: string): Promise<TestResult>;
  /** The same for what a form holds; with an id, secrets that are left out are those of that channel. */
  tryOut(request: ChannelRequest, id: string | null): Promise<TestResult>;
  setBaseUrl(baseUrl: string | null): NotificationsView;
  /** For alerts: in the transaction that changes them. */
  add(tx: Transaction, news: News[]): void;
  /** Channels by which nothing could be told for a day. */
  troubles(): Trouble[];
  /** By the clock, and after something was added. */
  deliver(): Promise<void>;
  cleanUp(): void;
  start(): void;
  stop(): Promise<void>;
}

export interface NotificationParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  config: Pick<Config, 'channelSecretsDir' | 'hostname'>;
  /** Given by tests only. */
  net?: Partial<Net>;
}

const SHOWN = 50;
const KEPT_MS = 90 * 24 * 3_600_000;
const TIMEOUT_MS = 20_000;

export function createNotifications({ db, bus, clock, log, config, net }: NotificationParts): Notifications {
  const files = createChannelSecrets(config.channelSecretsDir);
  const stopping = new AbortController();
  const subscriptions: (() => void)[] = [];
  const netFor = (signal: AbortSignal): Net => ({
    ...{ timeoutMs: TIMEOUT_MS, authorities: hostAuthorities() },
    ...{ discord: 'https://discord.com', telegram: 'https://api.telegram.org' },
    ...net,
    signal,
  });
  const changed = (): void => bus.emit('notifications.changed', {});

  async function tellBy(
    { kind, settings }: Pick<ChannelRow, 'kind' | 'settings'>,
    secrets: Secrets,
    [id, message]: [id: string, message: Message],
    signal: AbortSignal,
  ): Promise<void> {
    const worded = word(id, message, { host: config.hostname, baseUrl: baseUrlOf(db) });
    await TELL[kind]({ settings, secrets, message: worded, net: netFor(signal) });
  }
  const outbox = createOutbox({
    ...{ db, bus, clock, log },
    secretsOf: ({ secretsRef }) => files.read(secretsRef),
    send: (channel, id, message, signal) =>
      tellBy(channel, files.read(channel.secretsRef), [id, message], signal),
  });

  function need(id: string): ChannelRow {
    const row = channelRow(db, id);
    if (!row)
      throw new AppError(
        'channel_not_found',
        'There is no such channel; it may have been removed meanwhile.',
      );
    return row;
  }
  /** What cannot be read any more is as if it were not set: it has to be entered again. */
  function secretsOf(row: ChannelRow): Secrets {
    try {
      return files.read(row.secretsRef);
    } catch (error) {
      log.warn({ error, channel: row.id }, 'the secrets of a channel cannot be read');
      return {};
    }
  }
  function refuseSameName(name: string, id: string | null): void {
    const same = channelNamed(db, name);
    if (same && same.id !== id)
      throw issuesError([issue('channel_name_taken', `There is a channel "${name}" already.`, 'name')]);
  }
  const deliver = (): Promise<void> => outbox.deliver();
  /** Nobody waits for it; what fails is in the outbox. */
  const deliverSoon = (): void => {
    void deliver().catch((error: unknown) => log.error({ error }, 'messages could not be told'));
  };

  async function tryBy(row: ReadyChannel['row'], secrets: Secrets): Promise<TestResult> {
    try {
      await tellBy(row, secrets, [randomUUID(), testMessage(row.name, clock.now())], stopping.signal);
      return { ok: true };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'bug') throw error;
      return {
        ok: false,
        message: withoutSecrets(error.message, secrets),
        remedy: error.remedy === undefined ? null : withoutSecrets(error.remedy, secrets),
      };
    }
  }

  const deliveryView = (row: OutboxRow, names: Map<string, string>): DeliveryView => ({
    ...{ id: row.id, channelId: row.channelId, channelName: names.get(row.channelId) ?? '' },
    ...{ event: row.message.event, severity: row.message.severity, title: row.message.title },
    ...{ state: row.state, createdAt: row.createdAt, attempts: row.attempts, lastError: row.lastError },
    toldAt: row.state === 'told' ? row.endedAt : null,
    dueAt: row.state === 'waiting' || row.state === 'held' ? row.dueAt : null,
  });
  function view(): NotificationsView {
    const rows = channelRows(db);
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return {
      channels: rows.map((row) => channelView(db, row)),
      deliveries: latestMessages(db, SHOWN).map((row) => deliveryView(row, names)),
      settings: { baseUrl: baseUrlOf(db) },
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
  }

  return {
    view,
    async *follow(signal) {
      let wake: (() => void) | null = null;
      let isNew = true;
      const tell = (): void => {
        isNew = true;
        wake?.();
      };
      const end = bus.on('notifications.changed', tell);
      signal?.addEventListener('abort', tell);
      try {
        while (!signal?.aborted) {
          if (isNew) {
            isNew = false;
            yield view();
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
    async create(request) {
      refuseSameName(request.name, null);
      const ready = readyChannel(request, null);
      // The file first: a record without its secrets could tell nothing; a file without a record is swept away.
      const secretsRef = await files.keep(ready.secrets);
      refuseSameName(request.name, null);
      const row = newRow(ready, { secretsRef, createdAt: clock.now() });
      insertChannel(db, row);
      changed();
      return channelView(db, row);
    },
    async update(id, request) {
      const before = need(id);
      refuseSameName(request.name, id);
      const ready = readyChannel(request, { row: before, secrets: secretsOf(before) });
      const secretsRef = await files.keep(ready.secrets);
      need(id);
      refuseSameName(request.name, id);
      const row: ChannelRow = { ...before, ...ready.row, secretsRef };
      db.transaction((tx) => {
        updateChannel(tx, id, row);
        tryNow(tx, id, clock.now());
        outbox.reconsider(tx, row);
      });
      files.drop(before.secretsRef);
      changed();
      deliverSoon();
      return channelView(db, row);
    },
    remove(id) {
      const { secretsRef } = need(id);
      deleteChannel(db, id);
      files.drop(secretsRef);
      changed();
    },
    async test(id) {
      const row = need(id);
      const result = await tryBy(row, secretsOf(row));
      if (!result.ok) return result;
      tryNow(db, id, clock.now());
      changed();
      deliverSoon();
      return result;
    },
    async tryOut(request, id) {
      const before = id === null ? null : need(id);
      const ready = readyChannel(request, before && { row: before, secrets: secretsOf(before) });
      return tryBy(ready.row, ready.secrets);
    },
    setBaseUrl(baseUrl) {
      setBaseUrl(db, baseUrl);
      changed();
      return view();
    },
    add: (tx, news) => outbox.add(tx, news),
    troubles: () => lateChannels(db, clock.now() - LATE_AFTER_MS),
    deliver,
    cleanUp: () => forgetMessagesBefore(db, clock.now() - KEPT_MS),
    start() {
      const refs = new Set(channelRows(db).map(({ secretsRef }) => secretsRef));
      files.sweep((ref) => refs.has(ref));
      subscriptions.push(
        bus.on('alert.changed', () => {
          changed();
          deliverSoon();
        }),
      );
      deliverSoon();
    },
    async stop() {
      for (const end of subscriptions) end();
      stopping.abort();
      await outbox.stop();
    },
  };
}
