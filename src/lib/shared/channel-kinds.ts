/** By what people can be told of alerts. */
export const CHANNEL_KINDS = ['email', 'ntfy', 'gotify', 'discord', 'telegram', 'webhook'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** Without these a channel of the kind cannot tell anything. */
export const NEEDED_SECRETS: Record<ChannelKind, string[]> = {
  email: [],
  ntfy: ['topic'],
  gotify: ['token'],
  discord: ['url'],
  telegram: ['token'],
  webhook: ['url'],
};

export const WEBHOOK_PLACEHOLDERS = [
  'id',
  'event',
  'severity',
  'title',
  'text',
  'remedy',
  'subject',
  'host',
  'since',
  'at',
  'link',
  'full',
] as const;
