/** A channel while it is typed. Secrets that are left empty stay as they are. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { AlertSeverity } from '$lib/shared/wire/alerts';
import type {
  ChannelRequestInput,
  ChannelView,
  MAIL_SECURITIES,
  TestResult,
} from '$lib/shared/wire/notifications';
import { NEEDED_SECRETS, type ChannelKind } from '$lib/shared/channel-kinds';
import { kindWords } from './words';

const TEMPLATE = `{
  "title": "{{title}}",
  "message": "{{text}}",
  "severity": "{{severity}}",
  "event": "{{event}}",
  "link": "{{link}}"
}`;
export type Security = (typeof MAIL_SECURITIES)[number];
const PORTS: Record<Security, string> = { tls: '465', starttls: '587', none: '25' };
const SECRETS: Record<ChannelKind, string[]> = {
  email: ['password'],
  ntfy: ['topic', 'token'],
  gotify: ['token'],
  discord: ['url'],
  telegram: ['token'],
  webhook: ['url', 'authorization'],
};

export class ChannelForm {
  readonly id: string | null;
  readonly secretsSet: string[];
  kind = $state<ChannelKind>('email');
  name = $state('');
  minSeverity = $state<AlertSeverity>('warning');
  isQuiet = $state(false);
  quietFrom = $state('22:00');
  quietUntil = $state('07:00');
  isDigest = $state(false);
  digestAt = $state('08:00');
  criticalAtOnce = $state(true);
  host = $state('');
  port = $state('465');
  security = $state<Security>('tls');
  user = $state('');
  from = $state('');
  to = $state('');
  server = $state('');
  chatId = $state('');
  method = $state('POST');
  template = $state(TEMPLATE);
  /** By name; empty: as it was. */
  secrets = $state<Record<string, string>>({});
  busy = $state<'save' | 'test' | null>(null);
  error = $state<PresentedError | null>(null);
  tested = $state<TestResult | null>(null);

  constructor(kind: ChannelKind, before: ChannelView | null) {
    this.id = before?.id ?? null;
    this.secretsSet = before?.secretsSet ?? [];
    this.kind = kind;
    this.name = before?.name ?? kindWords[kind].title;
    this.server = kind === 'ntfy' ? 'https://ntfy.sh' : '';
    for (const name of SECRETS[kind]) this.secrets[name] = '';
    if (before) this.#take(before);
  }

  #take({ settings, minSeverity, quietHours, digestAt, criticalAtOnce }: ChannelView): void {
    const text = (name: string): string => {
      const value = settings[name];
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    };
    this.minSeverity = minSeverity;
    this.criticalAtOnce = criticalAtOnce;
    this.isQuiet = quietHours !== null;
    if (quietHours) [this.quietFrom, this.quietUntil] = [quietHours.from, quietHours.until];
    this.isDigest = digestAt !== null;
    if (digestAt) this.digestAt = digestAt;
    const { to } = settings;
    if (Array.isArray(to)) this.to = to.join(', ');
    [this.host, this.port, this.user, this.from] = [text('host'), text('port'), text('user'), text('from')];
    [this.server, this.chatId] = [text('server'), text('chatId')];
    this.security = (text('security') || 'tls') as Security;
    this.method = text('method') || 'POST';
    this.template = text('template') || TEMPLATE;
  }

  /** The usual port goes with the kind of encryption, unless somebody chose another. */
  setSecurity(security: Security): void {
    if (this.port === PORTS[this.security]) this.port = PORTS[security];
    this.security = security;
  }
  isSet = (secret: string): boolean => this.secretsSet.includes(secret);

  why = $derived.by((): string | null => {
    if (this.name.trim() === '') return 'Give the channel a name first.';
    const missing = NEEDED_SECRETS[this.kind].find((name) => !this.secrets[name] && !this.isSet(name));
    if (missing) return `Enter the ${missing === 'url' ? 'address' : missing} first.`;
    if ((this.kind === 'ntfy' || this.kind === 'gotify') && this.server.trim() === '')
      return 'Enter the address of the server first.';
    if (this.kind === 'telegram' && this.chatId.trim() === '') return 'Enter the number of the chat first.';
    if (this.kind === 'email' && [this.host, this.from, this.to].some((text) => text.trim() === ''))
      return 'Enter the mail server and both addresses first.';
    return null;
  });

  #settings(): Record<string, unknown> {
    switch (this.kind) {
      case 'email':
        return {
          ...{ host: this.host, port: Number(this.port), security: this.security },
          ...{ user: this.user.trim() || null, from: this.from.trim() },
          to: this.to.split(/[\s,;]+/).filter(Boolean),
        };
      case 'ntfy':
      case 'gotify':
        return { server: this.server };
      case 'telegram':
        return { chatId: this.chatId.trim() };
      case 'webhook':
        return { method: this.method, template: this.template };
      case 'discord':
        return {};
    }
  }
  #request(): ChannelRequestInput {
    const secrets: Record<string, string | null> = {};
    for (const [name, value] of Object.entries(this.secrets)) if (value.trim()) secrets[name] = value.trim();
    // Without a user there is nobody whose password it would be.
    if (this.kind === 'email' && this.user.trim() === '' && this.isSet('password'))
      secrets['password'] = null;
    // The server says by field what is wrong with it.
    return {
      ...{ kind: this.kind, name: this.name, minSeverity: this.minSeverity },
      quietHours: this.isQuiet ? { from: this.quietFrom, until: this.quietUntil } : null,
      digestAt: this.isDigest ? this.digestAt : null,
      criticalAtOnce: this.criticalAtOnce,
      ...{ settings: this.#settings(), secrets },
    } as ChannelRequestInput;
  }

  async #do<T>(what: 'save' | 'test', work: () => Promise<T>): Promise<T | null> {
    [this.busy, this.error, this.tested] = [what, null, null];
    try {
      return await work();
    } catch (thrown) {
      this.error = presentError(thrown);
      return null;
    } finally {
      this.busy = null;
    }
  }
  /** @returns whether it is kept now */
  async save(): Promise<boolean> {
    const channel = this.#request();
    const kept = await this.#do('save', () =>
      this.id === null
        ? trpc().notifications.create.mutate({ channel })
        : trpc().notifications.update.mutate({ id: this.id, channel }),
    );
    return kept !== null;
  }
  async test(): Promise<void> {
    const channel = this.#request();
    this.tested = await this.#do('test', () => trpc().notifications.tryOut.mutate({ channel, id: this.id }));
  }
}
