/** The certificate by which pages and API are served. */
import { z } from 'zod';
import type { Issue } from '../error-codes';

export interface CertificateView {
  /** own: made by Cairn itself and renewed by it; given: by an administrator. */
  kind: 'own' | 'given';
  /** SHA-256 of the certificate: 32 pairs of hexadecimal digits, with colons, as browsers show it. */
  fingerprint: string;
  subject: string;
  issuer: string;
  /** Names and addresses that it is good for. */
  names: string[];
  /** Names and addresses of this host that it says nothing about. */
  missingNames: string[];
  /** For people: "EC prime256v1", "RSA 4096". */
  key: string;
  notBefore: number;
  notAfter: number;
  /** With those that lead to the authority. */
  chainLength: number;
}

const MOST_CHARACTERS = 64 * 1024;
export const certificateRequest = z.strictObject({
  /** PEM, the host's own certificate first. */
  chain: z.string().min(1).max(MOST_CHARACTERS),
  /** PEM, without a passphrase. */
  key: z.string().min(1).max(MOST_CHARACTERS),
});
export type CertificateRequest = z.infer<typeof certificateRequest>;

/** What would be served, or all that is wrong with it. */
export type CertificateCheck = { ok: true; view: CertificateView } | { ok: false; issues: Issue[] };
