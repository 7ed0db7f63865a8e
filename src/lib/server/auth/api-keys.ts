/** Keys for programs: sent as X-Api-Key, shown once, kept as a hash. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Role } from '$lib/shared/states';
import type { Actor, ApiKeyView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError } from '../errors';
import { sha256 } from './secrets';
import type { ApiKeyRow, AuthStore } from './store';

const PREFIX = 'cairn_';
const SHOWN_LENGTH = PREFIX.length + 6;
/** The time of last use is for people; a commit for each request would be for nobody. */
const TOUCH_MS = 60_000;

const viewOf = ({ id, name, role, prefix, createdAt, lastUsedAt }: ApiKeyRow): ApiKeyView => ({
  id,
  name,
  role,
  prefix,
  createdAt,
  lastUsedAt,
});

export function createApiKeys(store: Pick<AuthStore, 'apiKeys'>, clock: Clock) {
  return {
    list: (): ApiKeyView[] => store.apiKeys.list().map(viewOf),
    create({ name, role }: { name: string; role: Role }): { key: string; view: ApiKeyView } {
      const key = PREFIX + randomBytes(32).toString('base64url');
      const row: ApiKeyRow = {
        id: randomUUID(),
        name,
        prefix: key.slice(0, SHOWN_LENGTH),
        hash: sha256(key),
        role,
        createdAt: clock.now(),
        lastUsedAt: null,
        scopes: null,
        expiresAt: null,
        lastAddress: null,
      };
      store.apiKeys.insert(row);
      return { key, view: viewOf(row) };
    },
    actorOf(key: string): Actor | null {
      if (!key.startsWith(PREFIX) || key.length > 200) return null;
      const row = store.apiKeys.byHash(sha256(key));
      if (!row) return null;
      if (clock.now() - (row.lastUsedAt ?? 0) > TOUCH_MS) store.apiKeys.touch(row.id, clock.now());
      return { kind: 'api-key', id: row.id, name: row.name, role: row.role, sessionId: null };
    },
    /** @throws AppError not_found */
    revoke(id: string): void {
      if (!store.apiKeys.remove(id)) throw new AppError('not_found', 'There is no such API key.');
    },
  };
}
export type ApiKeys = ReturnType<typeof createApiKeys>;
