/** Keys for programs: sent as X-Api-Key, shown once, kept as a hash. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Scope } from '$lib/shared/scopes';
import type { Role } from '$lib/shared/states';
import type { Actor, ApiKeyView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError, issue } from '../errors';
import { sha256 } from './secrets';
import type { ApiKeyRow, AuthStore } from './store';

const PREFIX = 'cairn_';
const SHOWN_LENGTH = PREFIX.length + 6;
/** The time of last use is for people; a commit for each request would be for nobody. */
const TOUCH_MS = 60_000;

const viewOf = ({ id, name, role, prefix, createdAt, ...rest }: ApiKeyRow): ApiKeyView => ({
  ...{ id, name, role, prefix, createdAt },
  ...{ lastUsedAt: rest.lastUsedAt, lastAddress: rest.lastAddress },
  ...{ expiresAt: rest.expiresAt, scopes: rest.scopes },
});

export interface ApiKeyRequest {
  name: string;
  role: Role;
  /** Null: all that the role allows. */
  scopes?: Scope[] | null;
  /** Milliseconds since the epoch; null: never. */
  expiresAt?: number | null;
}

export function createApiKeys(store: Pick<AuthStore, 'apiKeys'>, clock: Clock) {
  return {
    list: (): ApiKeyView[] => store.apiKeys.list().map(viewOf),
    /** @throws AppError invalid_input for an end that is over already */
    create({ name, role, scopes = null, expiresAt = null }: ApiKeyRequest): {
      key: string;
      view: ApiKeyView;
    } {
      if (expiresAt !== null && expiresAt <= clock.now())
        throw new AppError('invalid_input', 'The key would have expired already.', {
          issues: [issue('invalid_input', 'Give a time that is still to come.', 'expiresAt')],
        });
      const key = PREFIX + randomBytes(32).toString('base64url');
      const row: ApiKeyRow = {
        id: randomUUID(),
        name,
        prefix: key.slice(0, SHOWN_LENGTH),
        hash: sha256(key),
        role,
        createdAt: clock.now(),
        lastUsedAt: null,
        scopes: scopes && [...new Set(scopes)],
        expiresAt,
        lastAddress: null,
      };
      store.apiKeys.insert(row);
      return { key, view: viewOf(row) };
    },
    actorOf(key: string, address: string | null): Actor | null {
      if (!key.startsWith(PREFIX) || key.length > 200) return null;
      const row = store.apiKeys.byHash(sha256(key));
      const now = clock.now();
      if (!row || (row.expiresAt !== null && row.expiresAt <= now)) return null;
      if (now - (row.lastUsedAt ?? 0) > TOUCH_MS) store.apiKeys.touch(row.id, now, address);
      const { id, name, role, scopes } = row;
      return { kind: 'api-key', id, name, role, sessionId: null, scopes };
    },
    /** @throws AppError not_found */
    revoke(id: string): void {
      if (!store.apiKeys.remove(id)) throw new AppError('not_found', 'There is no such API key.');
    },
  };
}
export type ApiKeys = ReturnType<typeof createApiKeys>;
