/** What each kind of channel is, where its secrets are got, and what states of a message are called. */
import Bell from '@lucide/svelte/icons/bell';
import Mail from '@lucide/svelte/icons/mail';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import Send from '@lucide/svelte/icons/send';
import Smartphone from '@lucide/svelte/icons/smartphone';
import Webhook from '@lucide/svelte/icons/webhook';
import type { ChannelView, DeliveryState } from '$lib/shared/wire/notifications';
import type { ChannelKind } from '$lib/shared/channel-kinds';
import type { IconComponent } from '$lib/ui/action';
import type { Tone } from '$lib/ui/tone';

export interface KindWords {
  title: string;
  text: string;
  /** Where to get what it needs, in two lines. */
  help: [string, string];
  icon: IconComponent;
  /** Of its picture, in degrees of OKLCH. */
  hue: number;
}
export const kindWords: Record<ChannelKind, KindWords> = {
  email: {
    title: 'Email',
    text: 'By a mail server that you can use.',
    help: [
      'Your provider tells the server and the port: mostly 465 with TLS, or 587 with STARTTLS.',
      'With two-step sign-in, make an app password in your mail account and enter that.',
    ],
    icon: Mail,
    hue: 250,
  },
  ntfy: {
    title: 'ntfy',
    text: 'Push to phones; ntfy.sh or your own server.',
    help: [
      'In the ntfy app, subscribe to a topic with a name that nobody can guess, and enter it here.',
      'A protected topic needs an access token: make one in ntfy’s web app under Account.',
    ],
    icon: Smartphone,
    hue: 165,
  },
  gotify: {
    title: 'Gotify',
    text: 'Push by a Gotify server of your own.',
    help: [
      'In Gotify’s web page open Apps and create an application.',
      'Show its token with the eye and copy it here. The token of a client cannot send.',
    ],
    icon: Bell,
    hue: 220,
  },
  discord: {
    title: 'Discord',
    text: 'Into a channel of a Discord server.',
    help: [
      'In Discord: Edit channel, then Integrations, then Webhooks, then New webhook.',
      'Press Copy webhook URL and paste it here. Who has it can write there, so it is kept secret.',
    ],
    icon: MessageCircle,
    hue: 280,
  },
  telegram: {
    title: 'Telegram',
    text: 'From a bot of your own to a chat.',
    help: [
      'Write /newbot to @BotFather in Telegram: it gives you the token.',
      'Write something to your new bot; @userinfobot tells the number of your chat.',
    ],
    icon: Send,
    hue: 235,
  },
  webhook: {
    title: 'Webhook',
    text: 'JSON of your own to any address.',
    help: [
      'For Home Assistant, n8n, Slack and whatever else takes JSON over HTTP.',
      'Tokens belong into the address or the header Authorization; the template is not secret.',
    ],
    icon: Webhook,
    hue: 60,
  },
};

export const SECRET_WORDS: Record<string, string> = {
  password: 'Password',
  topic: 'Topic',
  token: 'Token',
  url: 'Address',
  authorization: 'Authorization',
};

export const stateWord: Record<DeliveryState, string> = {
  waiting: 'On its way',
  held: 'Held',
  digested: 'In a digest',
  told: 'Told',
  failed: 'Failed',
};
export const stateTone = (state: DeliveryState, lastError: string | null): Tone =>
  state === 'told' ? 'good' : state === 'failed' ? 'bad' : lastError ? 'warn' : 'quiet';

const from = {
  info: 'Everything',
  warning: 'Warnings and critical alerts',
  critical: 'Critical alerts',
} as const;

/** When it tells what, in one line. */
export function timesOf({ minSeverity, quietHours, digestAt, criticalAtOnce }: ChannelView): string {
  const parts: string[] = [from[minSeverity]];
  if (digestAt) parts.push(`once a day at ${digestAt}`);
  if (quietHours) parts.push(`quiet from ${quietHours.from} to ${quietHours.until}`);
  if ((digestAt || quietHours) && minSeverity !== 'critical' && criticalAtOnce)
    parts.push('critical ones at once');
  return parts.join(', ');
}
