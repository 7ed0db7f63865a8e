/**
 * Sessions, made and checked by lucia behind this file alone. The cookie holds a random token; the database holds its
 * SHA-256, so a copy of the database opens no session. Thirty days from the last use, at most 400 days in the browser:
 * the database decides, the cookie only carries.
 */
import { Lucia, TimeSpan, type Adapter, type DatabaseSession, type DatabaseUser } from 'lucia';
import type { Role } from '$lib/shared/states';
import type { Actor, SessionView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import type { Bus } from '../events/bus';
import { sha256 } from './secrets';
import type { AuthStore } from './store';

export const SESSION_COOKIE = 'cairn_session';
/** The longest that browsers keep a cookie. */
export const SESSION_COOKIE_SECONDS = 400 * 86_400;
const SESSION_DAYS = 30;
const TOUCH_MS = 60_000;
const MOST_SEEN = 1_000;

/** Where a request comes from: shown in the list of sessions, used by the throttle, never trusted for access. */
export interface Origin {
  address: string;
  userAgent: string;
}
interface UserAttributes {
  username: string;
  role: Role;
}
type SessionAttributes = Origin & { createdAt: number };

declare module 'lucia' {
  interface Register {
    Lucia: Lucia<Record<never, never>, UserAttributes>;
    DatabaseSessionAttributes: SessionAttributes;
    DatabaseUserAttributes: UserAttributes;
  }
}

/** Lucia's view of the tables; it knows tokens, they know hashes. */
function createAdapter(store: AuthStore): Adapter {
  const notUsed = (): never => {
    throw new TypeError('sessions are listed and ended through the store');
  };
  return {
    getSessionAndUser(token): Promise<[DatabaseSession | null, DatabaseUser | null]> {
      const row = store.sessions.find(sha256(token));
      if (!row) return Promise.resolve([null, null]);
      const { session, user } = row;
      const { address, userAgent, createdAt } = session;
      return Promise.resolve([
        {
          id: token,
          userId: user.id,
          expiresAt: new Date(session.expiresAt),
          attributes: { address, userAgent, createdAt },
        },
        { id: user.id, attributes: { username: user.username, role: user.role } },
      ]);
    },
    setSession({ id, userId, expiresAt, attributes }) {
      store.sessions.insert({
        ...{ id: sha256(id), userId, expiresAt: expiresAt.getTime(), ...attributes },
        ...{ lastSeenAt: attributes.createdAt, lastAddress: attributes.address },
        confirmedAt: attributes.createdAt,
      });
      return Promise.resolve();
    },
    updateSessionExpiration(token, expiresAt) {
      store.sessions.extend(sha256(token), expiresAt.getTime());
      return Promise.resolve();
    },
    deleteSession(token) {
      store.sessions.remove(sha256(token));
      return Promise.resolve();
    },
    getUserSessions: notUsed,
    deleteUserSessions: notUsed,
    deleteExpiredSessions: notUsed,
  };
}

export function createSessions({ store, bus, clock }: { store: AuthStore; bus: Bus; clock: Clock }) {
  const lucia = new Lucia(createAdapter(store), {
    sessionExpiresIn: new TimeSpan(SESSION_DAYS, 'd'),
    getUserAttributes: (attributes: UserAttributes) => attributes,
  });
  const end = (id: string): void => {
    if (store.sessions.remove(id)) bus.emit('session.revoked', { sessionId: id });
  };
  const seenAt = new Map<string, number>();
  /** When a session was last used is for people; a commit for each request would be for nobody. */
  function seen(id: string, address: string | null): void {
    const now = clock.now();
    if (address === null || now - (seenAt.get(id) ?? 0) < TOUCH_MS) return;
    if (seenAt.size > MOST_SEEN) seenAt.clear();
    seenAt.set(id, now);
    store.sessions.touch(id, now, address.slice(0, 100));
  }
  return {
    /** @returns the token for the cookie: the only time it is seen */
    async create(userId: string, from: Origin): Promise<string> {
      const session = await lucia.createSession(userId, {
        address: from.address.slice(0, 100),
        userAgent: from.userAgent.slice(0, 300),
        createdAt: clock.now(),
      });
      return session.id;
    },
    /** Who the token belongs to; null when it is unknown, ended or too old. Use moves the end further away. */
    async actorOf(token: string, address: string | null = null): Promise<Actor | null> {
      const { session, user } = await lucia.validateSession(token);
      if (!session) return null;
      seen(sha256(token), address);
      return { kind: 'user', id: user.id, name: user.username, role: user.role, sessionId: sha256(token) };
    },
    list: (userId: string, currentId: string | null): SessionView[] =>
      store.sessions
        .ofUser(userId)
        .filter((row) => row.expiresAt > clock.now())
        .map((row) => ({
          id: row.id,
          current: row.id === currentId,
          createdAt: row.createdAt,
          expiresAt: row.expiresAt,
          userAgent: row.userAgent,
          address: row.address,
          lastSeenAt: row.lastSeenAt,
          lastAddress: row.lastAddress,
        })),
    /** Ends one session and closes its sockets. */
    end,
    endAllOf(userId: string, exceptId: string | null = null): void {
      for (const row of store.sessions.ofUser(userId)) if (row.id !== exceptId) end(row.id);
    },
    /** Cron: what has expired goes, with the sockets that were still open. */
    cleanUp(): void {
      for (const id of store.sessions.removeExpired(clock.now()))
        bus.emit('session.revoked', { sessionId: id });
    },
  };
}
