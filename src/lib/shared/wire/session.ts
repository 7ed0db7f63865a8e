import type { AuditOutcome } from '../audit-words';
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
/** Somebody signed in to an account, or tried to. */
export interface SignInView {
  id: number;
  at: number;
  address: string;
  userAgent: string;
  /** done: it was right. denied, refused: it was not; `code` says why. */
  outcome: AuditOutcome;
  code: string | null;
  /** The same attempt, this often within a minute. */
  times: number;
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
