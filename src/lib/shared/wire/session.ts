import type { Scope } from '../scopes';
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
  /** Of a key; absent or null: all that the role allows. */
  scopes?: Scope[] | null;
}
export interface SessionView {
  id: string;
  current: boolean;
  createdAt: number;
  expiresAt: number;
  userAgent: string;
  address: string;
  lastSeenAt: number | null;
  lastAddress: string | null;
}
export interface UserView {
  id: string;
  username: string;
  role: Role;
  createdAt: number;
  /** Signs in with a code from the phone as well. */
  secondFactor: boolean;
}
export interface SecondFactorView {
  enabled: boolean;
  recoveryCodesLeft: number;
}
/** Shown once, to be scanned; it counts from the first right code on. */
export interface SecondFactorOffer {
  secret: string;
  uri: string;
  /** A QR code of the address, as an SVG document. */
  svg: string;
}
export interface ApiKeyView {
  id: string;
  name: string;
  role: Role;
  /** First characters, to tell keys apart. */
  prefix: string;
  createdAt: number;
  lastUsedAt: number | null;
  lastAddress: string | null;
  expiresAt: number | null;
  scopes: Scope[] | null;
}
