import type { Actor } from '$lib/shared/wire/session';
import type { Services } from '../services';

/** Where a session cookie can be set: on an HTTP answer. A socket has none. */
export interface SessionCookie {
  set(token: string): void;
  clear(): void;
}

/** What a procedure knows about the request. One for each HTTP request, one for the life of a socket. */
export interface RequestContext {
  services: Services;
  /**
   * Who asks, read anew for every call: a session that was ended, or a role that was changed, counts at once, also on
   * a socket that has been open for days.
   */
  identify(): Promise<Actor | null>;
  /** Token of the session cookie, to end this very session. */
  token: string | null;
  cookie: SessionCookie | null;
  address: string;
  userAgent: string;
}
