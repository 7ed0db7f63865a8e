import type { Role } from '../states';

/** Who asks. `system` is Cairn itself (boot, sweeper), `local` is root on this host. */
export interface Actor {
  kind: 'user' | 'api-key' | 'system' | 'local';
  /** User id or key id. */
  id: string;
  name: string;
  role: Role;
  /** Hashed session id, to close its sockets when it is revoked. */
  sessionId: string | null;
}
export interface SessionView {
  id: string;
  current: boolean;
  createdAt: number;
  expiresAt: number;
  userAgent: string;
  address: string;
}
export interface UserView {
  id: string;
  username: string;
  role: Role;
  createdAt: number;
}
export interface ApiKeyView {
  id: string;
  name: string;
  role: Role;
  /** First characters, to tell keys apart. */
  prefix: string;
  createdAt: number;
  lastUsedAt: number | null;
}
