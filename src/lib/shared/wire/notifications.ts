/** Channels that tell people of alerts, and what became of each message. What may be sent is checked here for form and server. */
import { z } from 'zod';
import type { ChannelKind } from '../channel-kinds';
import type { AlertSeverity } from './alerts';
import type { Json } from '../json';

const noControls = /^[^\p{Cc}]*$/u;
const line = (most: number) =>
  z.string().trim().min(1).max(most).regex(noControls, 'Control characters are not allowed.');
const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Give a time of day with 24 hours, such as 22:00.');

const isWebAddress = (text: string): boolean => {
  const url = URL.parse(text);
  return (
    url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password
  );
};
const NO_WEB_ADDRESS =
  'Give an address that begins with http:// or https:// and carries no user or password.';
/** Where a service listens, without what follows a `?` or `#`: nothing secret belongs here. */
const server = z
  .string()
  .trim()
  .max(500)
  .refine(isWebAddress, NO_WEB_ADDRESS)
  .refine((text) => !/[?#]/.test(text), 'Give the address of the server alone, without ? and #.')
  .transform((text) => text.replace(/\/+$/, ''));
/** An address that may itself be a secret. */
const secretUrl = z.string().trim().max(2_000).refine(isWebAddress, NO_WEB_ADDRESS);
const email = z.email('Give an email address, such as you@example.org.').max(254);

/** Left out: it stays as it is. null: it is taken away. */
const secret = <T extends z.ZodType>(of: T) => of.nullable().optional();
const secretText = secret(line(1_000));

const common = {
  name: line(64),
  /** Nothing milder is told. */
  minSeverity: z.enum(['info', 'warning', 'critical']).default('warning'),
  /** By the clock of the host; null: told at any time. */
  quietHours: z
    .strictObject({ from: clockTime, until: clockTime })
    .refine(({ from, until }) => from !== until, {
      message: 'Quiet hours end at another time than they begin.',
      path: ['until'],
    })
    .nullable()
    .default(null),
  /** All of a day in one message at this time, by the clock of the host; null: told one by one. */
  digestAt: clockTime.nullable().default(null),
  /** What is critical waits neither for the end of quiet hours nor for the digest. */
  criticalAtOnce: z.boolean().default(true),
};

export const MAIL_SECURITIES = ['tls', 'starttls', 'none'] as const;

/** `POST /api/v1/channels` and `PUT /api/v1/channels/{id}`. Secrets are only ever written: an answer names those that are set. */
export const channelRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('email'),
    settings: z.strictObject({
      host: z
        .string()
        .trim()
        .max(253)
        .regex(
          /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/,
          'Give the name or the address of the mail server.',
        ),
      port: z.int().min(1).max(65_535),
      /** tls: from the first byte (465). starttls: required before anything is said (587). none: not encrypted. */
      security: z.enum(MAIL_SECURITIES),
      user: line(254).nullable().default(null),
      from: email,
      to: z.array(email).min(1).max(20),
    }),
    secrets: z.strictObject({ password: secretText }).default({}),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('ntfy'),
    settings: z.strictObject({ server }),
    /** Who knows the topic may read it, so it is kept like a password. */
    secrets: z
      .strictObject({
        topic: secret(
          z.string().regex(/^[-_A-Za-z0-9]{1,64}$/, 'A topic has letters, digits, - and _, at most 64.'),
        ),
        token: secretText,
      })
      .default({}),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('gotify'),
    settings: z.strictObject({ server }),
    secrets: z.strictObject({ token: secretText }).default({}),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('discord'),
    settings: z.strictObject({}).default({}),
    secrets: z.strictObject({ url: secret(secretUrl) }).default({}),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('telegram'),
    settings: z.strictObject({
      chatId: z
        .string()
        .regex(/^(-?\d{1,20}|@[A-Za-z0-9_]{5,32})$/, 'Give the number of the chat, or @ and its name.'),
    }),
    secrets: z
      .strictObject({
        token: secret(
          z
            .string()
            .regex(
              /^\d{1,20}:[-_A-Za-z0-9]{20,100}$/,
              'A token looks like 123456789:AAH… and is given by @BotFather.',
            ),
        ),
      })
      .default({}),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('webhook'),
    settings: z.strictObject({
      method: z.enum(['POST', 'PUT']).default('POST'),
      /** JSON whose texts may hold placeholders such as `{{title}}`. */
      template: z.string().max(8_000),
    }),
    secrets: z
      .strictObject({
        url: secret(secretUrl),
        /** The value of the header Authorization. */
        authorization: secretText,
      })
      .default({}),
  }),
]);
export type ChannelRequest = z.infer<typeof channelRequest>;
export type ChannelRequestInput = z.input<typeof channelRequest>;

/** `PUT /api/v1/notification-settings` */
export const notificationSettingsRequest = z.strictObject({
  /** How a browser reaches this appliance, for the links in messages; null: messages carry no link. */
  baseUrl: server.nullable(),
});

export interface ChannelView {
  id: string;
  kind: ChannelKind;
  name: string;
  /** Where it leads, without anything secret. */
  target: string;
  minSeverity: AlertSeverity;
  quietHours: { from: string; until: string } | null;
  digestAt: string | null;
  criticalAtOnce: boolean;
  settings: Record<string, Json>;
  /** Names of the secrets that are kept; what they are is never told. */
  secretsSet: string[];
  createdAt: number;
  /** When somebody was last told by it; null: nobody yet. */
  lastToldAt: number | null;
  /** Messages that are held, and those that could not be told yet. */
  held: number;
  waiting: number;
  /** Why the last attempt failed; null: it did not. */
  lastError: string | null;
}
/** held: for quiet hours or a digest. digested: a digest has taken it in. failed: given up after a week. */
export type DeliveryState = 'waiting' | 'held' | 'digested' | 'told' | 'failed';
export type NewsEvent = 'raised' | 'worse' | 'resolved' | 'digest' | 'test';
export interface DeliveryView {
  /** The same in every attempt: Message-ID, sequence id of ntfy, Idempotency-Key. */
  id: string;
  channelId: string;
  channelName: string;
  event: NewsEvent;
  severity: AlertSeverity;
  title: string;
  state: DeliveryState;
  createdAt: number;
  toldAt: number | null;
  /** When it is due, or tried again; null: never more. */
  dueAt: number | null;
  attempts: number;
  lastError: string | null;
}
export interface NotificationsView {
  channels: ChannelView[];
  /** The newest first. */
  deliveries: DeliveryView[];
  settings: { baseUrl: string | null };
  /** IANA name; quiet hours and digests go by it. */
  timeZone: string;
}
/** What became of a test message: told, or why not and what to do. */
export type TestResult = { ok: true } | { ok: false; message: string; remedy: string | null };
