/** What was held back, as one message: an alert a line, with how it went meanwhile. Pure. */
import type { AlertSeverity } from '$lib/shared/wire/alerts';
import { formatLength, formatMoment, type Message } from './message';

export interface HeldMessage {
  alertId: string | null;
  message: Message;
}

const RANK: Record<AlertSeverity, number> = { info: 0, warning: 1, critical: 2 };
const MOST_LINES = 60;

function lineOf(messages: Message[]): string {
  const last = messages.at(-1);
  if (!last) return '';
  const { title, text, remedy, since, at, event } = last;
  if (event === 'resolved')
    return `Over: ${title}\nFrom ${formatMoment(since)}, for ${formatLength(at - since)}.`;
  const what = last.severity === 'critical' ? 'Critical' : last.severity === 'warning' ? 'Warning' : 'Note';
  return `${what}: ${title}\n${text} Since ${formatMoment(since)}.${remedy ? `\nWhat to do: ${remedy}` : ''}`;
}

/** @param held oldest first, at least one */
export function digestOf(held: HeldMessage[], at: number): Message {
  const byAlert = new Map<string, Message[]>();
  held.forEach(({ alertId, message }, index) => {
    const key = `${alertId ?? index}@${message.since}`;
    byAlert.set(key, [...(byAlert.get(key) ?? []), message]);
  });
  const stories = [...byAlert.values()];
  const isOver = (story: Message[]): boolean => story.at(-1)?.event === 'resolved';
  const open = stories.filter((story) => !isOver(story)).length;
  const over = stories.length - open;
  // What still holds comes first: it is what one reads it for.
  const lines = stories.toSorted((a, b) => Number(isOver(a)) - Number(isOver(b))).map(lineOf);
  const left = lines.length - MOST_LINES;
  const severity = stories
    .filter((story) => !isOver(story))
    .map((story) => story.at(-1)?.severity ?? 'info')
    .reduce<AlertSeverity>((worst, one) => (RANK[one] > RANK[worst] ? one : worst), 'info');
  return {
    event: 'digest',
    severity,
    title: [
      ...(open > 0 ? [`${open} ${open === 1 ? 'alert holds' : 'alerts hold'}`] : []),
      ...(over > 0 ? [`${over} ${over === 1 ? 'is' : 'are'} over`] : []),
    ].join(', '),
    text: [...lines.slice(0, MOST_LINES), ...(left > 0 ? [`And ${left} more: see the page.`] : [])].join(
      '\n\n',
    ),
    remedy: null,
    subject: 'digest',
    since: Math.min(...held.map(({ message }) => message.since)),
    at,
    path: '/alerts',
  };
}
