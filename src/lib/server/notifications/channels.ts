/** Channels as an administrator makes them. What is secret is written and used, never shown. */
import { randomUUID } from 'node:crypto';
import { type ChannelRequest, type ChannelView } from '$lib/shared/wire/notifications';
import { NEEDED_SECRETS, type ChannelKind } from '$lib/shared/channel-kinds';
import type { JsonObject } from '$lib/shared/json';
import { AppError, issue, issuesError } from '../errors';
import type { Secrets } from './secrets';
import { countsOf, type ChannelRow } from './store';
import { parseTemplate } from './template';
import type { Db } from '../db/client';

type Given = Record<string, string | null | undefined>;

/** Where it leads, without anything that may be secret. */
function targetOf({ kind, settings }: ChannelRequest, secrets: Secrets): string {
  const url = secrets['url'];
  switch (kind) {
    case 'email':
      return `${settings.to.join(', ')} by ${settings.host}`;
    case 'ntfy':
    case 'gotify':
      return settings.server;
    case 'telegram':
      return `chat ${settings.chatId}`;
    case 'discord':
    case 'webhook':
      return url ? (URL.parse(url)?.origin ?? '') : '';
  }
}

/** With whom the secrets are shared: when this changes, they have to be given again rather than sent to somebody new. */
function partnerOf(kind: ChannelKind, settings: JsonObject, secrets: Secrets): string {
  if (kind === 'email') return JSON.stringify([settings['host'], settings['port'], settings['security']]);
  if (kind === 'ntfy' || kind === 'gotify') return String(settings['server']);
  if (kind === 'webhook') return secrets['url'] ?? '';
  return kind;
}

export interface ReadyChannel {
  row: Omit<ChannelRow, 'id' | 'secretsRef' | 'createdAt'>;
  secrets: Secrets;
}

/** The address is what the other secrets are for, so it is no one of those that have to be given again. */
const isForPartner = (name: string): boolean => name !== 'url';

/**
 * The channel as it is to be kept.
 * @param before what is kept now; null for a new one
 * @throws AppError with the field that is wrong
 */
export function readyChannel(
  request: ChannelRequest,
  before: { row: ChannelRow; secrets: Secrets } | null,
): ReadyChannel {
  if (before && before.row.kind !== request.kind)
    throw new AppError('invalid_input', 'A channel stays of its kind.', { remedy: 'Add another channel.' });
  const given: Given = request.secrets;
  const kept = before?.secrets ?? {};
  const secrets: Secrets = { ...kept };
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') secrets[name] = value;
    else if (value === null) delete secrets[name];
  }
  const settings: JsonObject = { ...request.settings };
  const missing = NEEDED_SECRETS[request.kind].filter((name) => !secrets[name]);
  if (missing.length > 0)
    throw issuesError(
      missing.map((name) => issue('channel_secret_needed', `Enter the ${name}.`, `secrets.${name}`)),
    );
  const partnerBefore = before && partnerOf(request.kind, before.row.settings, kept);
  if (before && partnerBefore !== partnerOf(request.kind, settings, secrets)) {
    const old = Object.keys(secrets).filter((name) => isForPartner(name) && typeof given[name] !== 'string');
    if (old.length > 0)
      throw issuesError(
        old.map((name) =>
          issue(
            'channel_secret_needed',
            `It goes to somebody else now: enter the ${name} again.`,
            `secrets.${name}`,
          ),
        ),
      );
  }
  if (request.kind === 'email') checkMail(request.settings, secrets);
  if (request.kind === 'webhook') parseTemplate(request.settings.template);
  const { kind, name, minSeverity, quietHours, digestAt, criticalAtOnce } = request;
  return {
    row: {
      ...{ kind, name, minSeverity, quietHours, digestAt, criticalAtOnce, settings },
      target: targetOf(request, secrets),
      secretsSet: Object.keys(secrets).sort(),
    },
    secrets,
  };
}

function checkMail(
  { user, security }: { user: string | null; security: 'tls' | 'starttls' | 'none' },
  secrets: Secrets,
): void {
  const password = secrets['password'];
  if (user !== null && !password)
    throw issuesError([
      issue('channel_secret_needed', 'Enter the password of this user.', 'secrets.password'),
    ]);
  if (user === null && password)
    throw issuesError([issue('invalid_input', 'A password needs its user.', 'settings.user')]);
  if (password && security === 'none')
    throw issuesError([
      issue(
        'invalid_input',
        'A password is not sent without encryption.',
        'settings.security',
        'Choose TLS or STARTTLS, or leave user and password out.',
      ),
    ]);
}

export const newRow = (
  ready: ReadyChannel,
  { secretsRef, createdAt }: { secretsRef: string; createdAt: number },
): ChannelRow => ({ id: randomUUID(), secretsRef, createdAt, ...ready.row });

export const channelView = (db: Db, row: ChannelRow): ChannelView => {
  const { secretsRef: _, ...shown } = row;
  return { ...shown, ...countsOf(db, row.id) };
};
