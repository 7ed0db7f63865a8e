/** How each kind of service is told: what it is sent, and what its refusals mean. */
import { z } from 'zod';
import type { AlertSeverity } from '$lib/shared/wire/alerts';
import type { ChannelKind } from '$lib/shared/channel-kinds';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { postUrl, type PostAnswer, type Posted } from '../host/post-url';
import { sendMail } from '../host/send-mail';
import { plainText, type Worded } from './message';
import type { Secrets } from './secrets';
import { fillTemplate } from './template';

export interface Net {
  signal: AbortSignal;
  timeoutMs: number;
  authorities: string[];
  /** Where Discord and Telegram are; other ones in tests only. */
  discord: string;
  telegram: string;
}
export interface Told {
  settings: JsonObject;
  secrets: Secrets;
  message: Worded;
  net: Net;
}
type Tell = (told: Told) => Promise<void>;

/** Asked to be left alone for so long. */
export class TooMany extends AppError {
  readonly retryAfterMs: number;
  constructor(message: string, seconds: number | null) {
    super('channel_unreachable', message, { remedy: 'It is tried again later.' });
    this.retryAfterMs = (seconds ?? 60) * 1_000;
  }
}

const settingsOf = <T extends z.ZodType>(shape: T, settings: JsonObject): z.infer<T> => shape.parse(settings);
function need(secrets: Secrets, name: string): string {
  const value = secrets[name];
  if (!value) throw new AppError('channel_secret_needed', `Its ${name} is not set.`);
  return value;
}

/** What the other side says about it, a line. */
const said = ({ text }: PostAnswer): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line === '' || line.startsWith('<') ? '' : ` It says: ${line.slice(0, 200)}`;
};

/** @param meanings what a status means at this service, and what to do */
function judge(
  service: string,
  answer: PostAnswer,
  meanings: Record<number, [message: string, remedy: string]>,
): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  if (status === 429) throw new TooMany(`${service} got too many messages.`, answer.retryAfterSeconds);
  const [message, remedy] = meanings[status] ?? [
    status >= 500
      ? `${service} has a problem of its own (${status}).`
      : `${service} did not take the message (${status}).`,
    status >= 500 ? 'Look at its log.' : 'Check the address.',
  ];
  throw new AppError('channel_unreachable', `${message}${said(answer)}`, { remedy });
}

const posted = (net: Net, body: unknown, headers: Record<string, string> = {}): Posted => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...{ signal: net.signal, timeoutMs: net.timeoutMs, authorities: net.authorities },
});
const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

const mailSettings = z.object({
  host: z.string(),
  port: z.number(),
  security: z.enum(['tls', 'starttls', 'none']),
  user: z.string().nullable(),
  from: z.string(),
  to: z.array(z.string()),
});
const email: Tell = async ({ settings, secrets, message, net }) => {
  const { host, port, security, user, from, to } = settingsOf(mailSettings, settings);
  await sendMail({
    server: { host, port, security },
    login: user === null ? null : { user, password: secrets['password'] ?? '' },
    from: `Cairn <${from}>`,
    to,
    subject: message.title,
    text: `${plainText(message)}\n\n-- \nCairn on ${message.host}\n`,
    messageId: `${message.id}@cairn`,
    // RFC 3834: nobody's holiday answer is wanted.
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(message.severity === 'critical' ? { Importance: 'high' } : {}),
    },
    ...{ signal: net.signal, timeoutMs: net.timeoutMs, authorities: net.authorities },
  });
};

const serverSettings = z.object({ server: z.string() });
const withText = (message: Worded): string =>
  [message.text, ...(message.remedy ? [`What to do: ${message.remedy}`] : [])].join('\n\n');

const NTFY_PRIORITY: Record<AlertSeverity, number> = { info: 3, warning: 4, critical: 5 };
const NTFY_TAG: Record<AlertSeverity, string> = {
  info: 'information_source',
  warning: 'warning',
  critical: 'rotating_light',
};
/** docs.ntfy.sh/publish/#publish-as-json: the topic goes into the body, so that no log of addresses has it. */
const ntfy: Tell = async ({ settings, secrets, message, net }) => {
  const { server } = settingsOf(serverSettings, settings);
  const isOver = message.event === 'resolved' || message.event === 'test';
  const token = secrets['token'];
  const answer = await postUrl(
    new URL(server),
    posted(
      net,
      {
        topic: need(secrets, 'topic'),
        title: message.title,
        message: withText(message),
        priority: isOver ? 3 : NTFY_PRIORITY[message.severity],
        tags: [isOver ? 'white_check_mark' : NTFY_TAG[message.severity]],
        // ntfy shows a message with a sequence id that it has already in the place of that one.
        sequence_id: message.id,
        ...(message.link ? { click: message.link } : {}),
      },
      token ? { authorization: `Bearer ${token}` } : {},
    ),
  );
  judge('ntfy', answer, {
    401: ['ntfy does not know the token.', 'Make a new access token in ntfy and enter it here.'],
    403: ['ntfy does not let this token write to the topic.', 'Give its user write access to the topic.'],
    404: ['There is no ntfy at this address.', 'Give the address of the server itself, without the topic.'],
  });
};

const GOTIFY_PRIORITY: Record<AlertSeverity, number> = { info: 4, warning: 6, critical: 9 };
/** gotify.net/docs/pushmsg; the token goes into a header rather than into the address. */
const gotify: Tell = async ({ settings, secrets, message, net }) => {
  const { server } = settingsOf(serverSettings, settings);
  const answer = await postUrl(
    new URL(`${server}/message`),
    posted(
      net,
      {
        title: message.title,
        message: withText(message),
        priority: message.event === 'resolved' ? 4 : GOTIFY_PRIORITY[message.severity],
        extras: {
          'cairn::message': { id: message.id },
          ...(message.link ? { 'client::notification': { click: { url: message.link } } } : {}),
        },
      },
      { 'x-gotify-key': need(secrets, 'token') },
    ),
  );
  judge('Gotify', answer, {
    401: [
      'Gotify does not know the token.',
      'Enter the token of an application; one of a client cannot send.',
    ],
    403: [
      'Gotify does not let this token send.',
      'Enter the token of an application; one of a client cannot send.',
    ],
    404: ['There is no Gotify at this address.', 'Give the address that opens its page in a browser.'],
  });
};

const COLOURS: Record<AlertSeverity, number> = {
  info: 0x2b_7a_9b,
  warning: 0xc7_7d_0a,
  critical: 0xc0_35_2b,
};
const GREEN = 0x2f_85_5a;
/** discord.com/developers/docs/resources/webhook#execute-webhook, with its limits of lengths. */
const discord: Tell = async ({ secrets, message, net }) => {
  const url = new URL(need(secrets, 'url'));
  if (url.origin !== net.discord && url.origin !== 'https://discordapp.com')
    throw new AppError('address_refused', 'The address is none of Discord.', {
      remedy: 'Copy the webhook address from Discord: it begins with https://discord.com/api/webhooks/.',
    });
  const answer = await postUrl(
    url,
    posted(net, {
      allowed_mentions: { parse: [] },
      embeds: [
        {
          title: cut(message.title, 256),
          description: cut(withText(message), 4_000),
          color: message.event === 'resolved' || message.event === 'test' ? GREEN : COLOURS[message.severity],
          timestamp: new Date(message.at).toISOString(),
          footer: { text: `Cairn on ${message.host} · ${message.id.slice(0, 8)}` },
          ...(message.link ? { url: message.link } : {}),
        },
      ],
    }),
  );
  const gone: [string, string] = [
    'Discord does not know this webhook.',
    'Make a new webhook in the settings of the channel in Discord.',
  ];
  judge('Discord', answer, { 401: gone, 403: gone, 404: gone });
};

/** core.telegram.org/bots/api#sendmessage. Plain text: nothing in an alert can become markup. */
const telegram: Tell = async ({ settings, secrets, message, net }) => {
  const { chatId } = settingsOf(z.object({ chatId: z.string() }), settings);
  const answer = await postUrl(
    new URL(`${net.telegram}/bot${need(secrets, 'token')}/sendMessage`),
    posted(net, {
      chat_id: chatId,
      text: cut(`${message.title}\n\n${plainText(message)}`, 4_000) + `\n\n${message.id.slice(0, 8)}`,
      link_preview_options: { is_disabled: true },
    }),
  );
  judge('Telegram', answer, {
    400: [
      'Telegram does not know the chat.',
      'Write something to the bot first, then check the number of the chat.',
    ],
    401: ['Telegram does not know the token.', 'Ask @BotFather for the token of the bot.'],
    403: [
      'The bot may not write to this chat.',
      'Open the bot in Telegram and press Start, or add it to the group.',
    ],
    404: ['Telegram does not know the token.', 'Ask @BotFather for the token of the bot.'],
  });
};

const webhook: Tell = async ({ settings, secrets, message, net }) => {
  const { method, template } = settingsOf(
    z.object({ method: z.enum(['POST', 'PUT']), template: z.string() }),
    settings,
  );
  const url = new URL(need(secrets, 'url'));
  const authorization = secrets['authorization'];
  const answer = await postUrl(url, {
    ...posted(net, fillTemplate(template, message), {
      'idempotency-key': message.id,
      ...(authorization ? { authorization } : {}),
    }),
    method,
  });
  const refused: [string, string] = [
    `${url.hostname} refused the authorization.`,
    'Check the header Authorization and the address.',
  ];
  judge(url.hostname, answer, {
    401: refused,
    403: refused,
    404: [`${url.hostname} has nothing at this address.`, 'Check the path of the address.'],
    405: [`${url.hostname} does not take ${method} at this address.`, 'Choose the other method.'],
  });
};

export const TELL: Record<ChannelKind, Tell> = { email, ntfy, gotify, discord, telegram, webhook };
