/** A channel by which nothing arrives. It is over when something does, or when the channel goes. Pure. */
import type { Trouble } from '../notifications/store';
import { formatMoment } from '../notifications/message';
import type { Condition } from './condition';

export const channelConditions = (troubles: Trouble[]): Condition[] =>
  troubles.map(({ channelId, name, since, error }) => ({
    id: `channel:${channelId}:silent`,
    kind: 'channel.silent',
    severity: 'warning',
    subject: { type: 'host', id: `channel:${channelId}`, label: name },
    title: `Nothing can be told by "${name}"`,
    text: `Messages wait there since ${formatMoment(since)}. ${error}`.trim(),
    remedy: 'Open the notifications and test the channel: it says what is in the way.',
  }));
