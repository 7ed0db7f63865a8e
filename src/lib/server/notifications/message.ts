/** What is told: made from an alert when it changes, worded when it is sent. Pure. */
import { placeOf } from '$lib/shared/alert-place';
import type { Alert, AlertSeverity } from '$lib/shared/wire/alerts';
import type { NewsEvent } from '$lib/shared/wire/notifications';

/** Kept in the outbox as it is. */
export interface Message {
  event: NewsEvent;
  severity: AlertSeverity;
  title: string;
  text: string;
  remedy: string | null;
  /** What it is about: the label of the pool, the serial of the drive. */
  subject: string;
  /** Since when it holds or held, and when it changed. */
  since: number;
  at: number;
  /** Path of the page where something can be done; null: there is none. */
  path: string | null;
}
/** Something happened to an alert. `worse`: what was a warning is critical now. */
export interface News {
  alert: Alert;
  event: 'raised' | 'worse' | 'resolved';
}
/** A message as it is sent. */
export interface Worded {
  id: string;
  event: NewsEvent;
  severity: AlertSeverity;
  subject: string;
  host: string;
  title: string;
  /** Paragraphs, without title and link. */
  text: string;
  remedy: string | null;
  since: number;
  at: number;
  link: string | null;
}

export const messageOf = ({ alert, event }: News, at: number): Message => ({
  event,
  severity: alert.severity,
  title: alert.title,
  text: alert.text,
  remedy: alert.remedy,
  subject: alert.subject.label,
  since: alert.raisedAt,
  at,
  path: placeOf(alert)?.href ?? '/alerts',
});

export const testMessage = (channelName: string, at: number): Message => ({
  event: 'test',
  severity: 'info',
  title: 'Cairn can reach you here',
  text: `This is a test of the channel "${channelName}". Nothing is wrong.`,
  remedy: null,
  subject: channelName,
  ...{ since: at, at },
  path: '/settings/notifications',
});

const stamp = new Intl.DateTimeFormat('en-GB', {
  ...{ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
});
/** By the clock of the host. */
export const formatMoment = (at: number): string => stamp.format(at);

export function formatLength(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

const TITLES: Record<NewsEvent, (message: Message) => string> = {
  raised: ({ severity, title }) => `${severity === 'critical' ? 'Critical: ' : ''}${title}`,
  worse: ({ title }) => `Now critical: ${title}`,
  resolved: ({ title }) => `Over: ${title}`,
  digest: ({ title }) => title,
  test: ({ title }) => title,
};

function textOf({ event, text, since, at }: Message): string {
  if (event === 'digest' || event === 'test') return text;
  if (event === 'resolved')
    return `It began at ${formatMoment(since)} and held for ${formatLength(at - since)}. Nothing needs to be done.`;
  return `${text}\n\nSince ${formatMoment(since)}.`;
}

/** @param baseUrl how a browser reaches this appliance; null: no link */
export function word(
  id: string,
  message: Message,
  { host, baseUrl }: { host: string; baseUrl: string | null },
): Worded {
  return {
    ...{ id, host, event: message.event, severity: message.severity, subject: message.subject },
    title: `${host}: ${TITLES[message.event](message)}`,
    text: textOf(message),
    remedy: message.event === 'resolved' ? null : message.remedy,
    ...{ since: message.since, at: message.at },
    link: baseUrl !== null && message.path !== null ? `${baseUrl}${message.path}` : null,
  };
}

/** Text, what to do and the link, a paragraph each. */
export const plainText = ({ text, remedy, link }: Worded): string =>
  [text, ...(remedy ? [`What to do: ${remedy}`] : []), ...(link ? [link] : [])].join('\n\n');
