/** A key and the certificates that go with it: read, judged and shown. Pure; nothing here touches a file. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { CertificateRequest, CertificateView } from '$lib/shared/wire/certificates';
import type { Issue } from '$lib/shared/error-codes';
import { issue as issueOf } from '../errors';

export interface Pair {
  key: string;
  /** The host's own certificate first. */
  chain: string;
}
export type Judged = { pair: Pair; issues: [] } | { pair: null; issues: Issue[] };

/** RFC 7468. What stands around the blocks (names, comments of a tool) is left out. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/g;
const ENCRYPTED = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/;
/** What browsers take; OpenSSL refuses less as well. */
const LEAST_RSA_BITS = 2048;
const MOST_CERTIFICATES = 10;

const issue = (field: string, code: Issue['code'], message: string, remedy?: string): Issue =>
  issueOf(code, message, field, remedy);

export const certificatesOf = (chain: string): X509Certificate[] =>
  (chain.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
export const timeOf = (text: string): number => Date.parse(text);
const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** `DNS:nas.local, IP Address:192.168.1.2` → names; quoted ones hold characters that no name has, and are left out. */
export const namesOf = (certificate: X509Certificate): string[] =>
  (certificate.subjectAltName ?? '')
    .split(', ')
    .flatMap((part) => /^(?:DNS|IP Address):([A-Za-z0-9.:*_-]+)$/.exec(part)?.[1]?.toLowerCase() ?? []);

const isFor = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never' })) !== undefined;

const nameOf = (text: string): string => /^CN=(.+)$/m.exec(text)?.[1] ?? text.replaceAll('\n', ', ');

function keyText(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (namedCurve) return `EC ${namedCurve}`;
  return `${(key.asymmetricKeyType ?? '').toUpperCase()} ${modulusLength ?? ''}`.trim();
}

function readKey(text: string): { key: KeyObject; pem: string } | Issue {
  if (ENCRYPTED.test(text))
    return issue(
      'key',
      'certificate_key_invalid',
      'The private key is protected by a passphrase.',
      'Take it off: openssl pkey -in key.pem -out plain.pem',
    );
  const [pem, ...others] = text.match(KEY) ?? [];
  if (pem === undefined || others.length > 0)
    return issue(
      'key',
      'certificate_key_invalid',
      pem === undefined ? 'There is no private key in it.' : 'There are several private keys in it.',
      'Give the one block that begins with BEGIN PRIVATE KEY.',
    );
  try {
    return { key: createPrivateKey(pem), pem };
  } catch (error) {
    return issue('key', 'certificate_key_invalid', `The private key cannot be read: ${wordOf(error)}.`);
  }
}
const wordOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^error:[0-9A-F]+:/, '') : String(error);

function readChain(text: string): X509Certificate[] | Issue {
  let chain: X509Certificate[];
  try {
    chain = certificatesOf(text);
  } catch (error) {
    return issue('chain', 'certificate_invalid', `A certificate cannot be read: ${wordOf(error)}.`);
  }
  if (chain.length === 0)
    return issue(
      'chain',
      'certificate_invalid',
      text.match(KEY)
        ? 'There is a private key in it, and no certificate.'
        : 'There is no certificate in it.',
      'Give the blocks that begin with BEGIN CERTIFICATE; a file that ends with .p12 has to be converted first.',
    );
  return chain.length > MOST_CERTIFICATES
    ? issue('chain', 'certificate_invalid', `There are ${chain.length} certificates in it.`)
    : chain;
}

function judgeKey(chain: X509Certificate[], key: KeyObject): Issue[] {
  const issues: Issue[] = [];
  const [own] = chain;
  if (!own?.checkPrivateKey(key)) {
    const other = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
    issues.push(
      other > 0
        ? issue(
            'chain',
            'certificate_pair',
            `The key belongs to "${nameOf(chain[other]?.subject ?? '')}", which is not the first certificate.`,
            'Put the certificate of this host first, then those that lead to its authority.',
          )
        : issue('key', 'certificate_pair', `The key does not belong to "${nameOf(own?.subject ?? '')}".`),
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (!['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? ''))
    issues.push(
      issue('key', 'certificate_key_invalid', `Browsers take no key of the kind ${key.asymmetricKeyType}.`),
    );
  else if (bits !== undefined && bits < LEAST_RSA_BITS)
    issues.push(
      issue(
        'key',
        'certificate_key_invalid',
        `The key has ${bits} bits only.`,
        `Make one of ${LEAST_RSA_BITS} bits at least, or one of an elliptic curve.`,
      ),
    );
  return issues;
}

/** What is wrong with a certificate that can be read, for this key and at this time. */
function judge(chain: X509Certificate[], key: KeyObject, now: number | null): Issue[] {
  const issues = judgeKey(chain, key);
  for (const [index, certificate] of chain.entries()) {
    const name = `"${nameOf(certificate.subject)}"`;
    const [from, until] = [timeOf(certificate.validFrom), timeOf(certificate.validTo)];
    if (now !== null && until <= now)
      issues.push(issue('chain', 'certificate_expired', `${name} has expired on ${day(until)}.`));
    else if (now !== null && from > now)
      issues.push(issue('chain', 'certificate_expired', `${name} is valid from ${day(from)} on only.`));
    const next = chain[index + 1];
    if (next && !(certificate.checkIssued(next) && certificate.verify(next.publicKey)))
      issues.push(
        issue(
          'chain',
          'certificate_invalid',
          `${name} was not issued by "${nameOf(next.subject)}", which follows it.`,
          'Give them in order: the one of this host, the one that issued it, and so on.',
        ),
      );
  }
  if (chain[0]?.subjectAltName === undefined)
    issues.push(
      issue(
        'chain',
        'certificate_invalid',
        'It names no host: it has no subject alternative name, without which every browser refuses it.',
        'Make it anew with the names of this host (subjectAltName).',
      ),
    );
  return issues;
}

/** All that is wrong at once, by field; `now` null: at whatever time. What comes back as a pair can be served. */
export function judgePair(request: CertificateRequest, now: number | null): Judged {
  const key = readKey(request.key);
  const chain = readChain(request.chain);
  if (!('pem' in key) || !Array.isArray(chain))
    return { pair: null, issues: [key, chain].filter((part): part is Issue => 'code' in part) };
  const issues = judge(chain, key.key, now);
  if (issues.length > 0) return { pair: null, issues };
  const pair = { key: `${key.pem.trim()}\n`, chain: chain.map(String).join('') };
  try {
    createSecureContext({ key: pair.key, cert: pair.chain });
  } catch (error) {
    return {
      pair: null,
      issues: [issue('chain', 'certificate_invalid', `TLS cannot be done with it: ${wordOf(error)}.`)],
    };
  }
  return { pair, issues: [] };
}

export function viewOf(
  { key, chain }: Pair,
  kind: CertificateView['kind'],
  hostNames: string[],
): CertificateView {
  const certificates = certificatesOf(chain);
  const [own] = certificates;
  if (!own) throw new TypeError('a pair has a certificate');
  return {
    kind,
    fingerprint: own.fingerprint256,
    subject: nameOf(own.subject),
    issuer: nameOf(own.issuer),
    names: namesOf(own),
    missingNames: hostNames.filter((name) => !isFor(own, name)),
    key: keyText(createPrivateKey(key)),
    notBefore: timeOf(own.validFrom),
    notAfter: timeOf(own.validTo),
    chainLength: certificates.length,
  };
}
