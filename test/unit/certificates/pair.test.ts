import { afterAll, describe, expect, it } from 'vitest';
import { certificateConditions } from '$lib/server/alerts/certificate-conditions';
import { namesOfHost, namesToCertify, namesToReach } from '$lib/server/certificates/host-names';
import { judgePair, viewOf } from '$lib/server/certificates/pair';
import { Authority } from '../../support/certificates';

const authority = new Authority();
const other = new Authority('Another authority');
const good = authority.issue(['nas.example.org', 'nas.local']);
const locked = authority.locked();
const foreign = authority.issue(['nas.example.org']);
const weak = authority.issue(['nas.local'], { newKey: ['rsa:1024'] });
const nameless = authority.issue([]);
afterAll(() => {
  authority.remove();
  other.remove();
});
const now = Date.now();
const DAY_MS = 86_400_000;

const told = (chain: string, key: string, at = now): string[] =>
  judgePair({ chain, key }, at).issues.map(({ field, code, message }) => `${field} ${code}: ${message}`);

describe('a certificate that is given', () => {
  it('is taken with its key, with and without those that lead to its authority', () => {
    expect(told(good.certificate, good.key)).toEqual([]);
    expect(told(good.certificate + authority.certificate, good.key)).toEqual([]);
    const { pair } = judgePair({ chain: `# comment\n${good.certificate}`, key: good.key }, now);
    if (!pair) throw new Error('refused');
    expect(viewOf(pair, 'given', ['nas', 'nas.local', '192.0.2.1'])).toMatchObject({
      ...{ kind: 'given', subject: 'nas.example.org', issuer: 'Home authority', chainLength: 1 },
      ...{ names: ['nas.example.org', 'nas.local'], missingNames: ['nas', '192.0.2.1'] },
      key: 'EC prime256v1',
    });
  });
  it('is refused by name, with what to do', () => {
    expect(told(good.certificate, foreign.key)).toEqual([
      'key certificate_pair: The key does not belong to "nas.example.org".',
    ]);
    expect(told(authority.certificate + good.certificate, good.key)[0]).toMatch(
      /^chain certificate_pair: The key belongs to "nas.example.org", which is not the first certificate/,
    );
    expect(told(good.certificate + other.certificate, good.key)).toEqual([
      'chain certificate_invalid: "nas.example.org" was not issued by "Another authority", which follows it.',
    ]);
    expect(told(good.certificate, good.key, now + 21 * DAY_MS)[0]).toMatch(
      /certificate_expired: .* has expired on/,
    );
    expect(told(good.certificate, good.key, now - 2 * DAY_MS)[0]).toMatch(
      /certificate_expired: .* is valid from/,
    );
    expect(told(good.certificate, locked)).toEqual([
      'key certificate_key_invalid: The private key is protected by a passphrase.',
    ]);
    expect(told(weak.certificate, weak.key)[0]).toContain('The key has 1024 bits only.');
    expect(told(nameless.certificate, nameless.key)[0]).toContain('It names no host');
    for (const { remedy } of judgePair({ chain: good.certificate, key: foreign.key }, now).issues)
      expect(remedy).toBeTruthy();
  });
  it('is refused whatever it is made of, every field at once', () => {
    expect(told('nothing', 'nothing')).toEqual([
      'key certificate_key_invalid: There is no private key in it.',
      'chain certificate_invalid: There is no certificate in it.',
    ]);
    expect(told(good.key, good.certificate)).toEqual([
      'key certificate_key_invalid: There is no private key in it.',
      'chain certificate_invalid: There is a private key in it, and no certificate.',
    ]);
    const broken = good.certificate.replace(/\n[^\n]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    expect(told(broken, good.key)[0]).toMatch(/^chain certificate_invalid: A certificate cannot be read/);
    expect(told(good.certificate, good.key + foreign.key)[0]).toContain('several private keys');
  });
});

describe('the names of a host', () => {
  const interfaces = {
    lo: [{ address: '127.0.0.1', family: 'IPv4', internal: true }],
    eth0: [
      { address: '192.168.1.20', family: 'IPv4', internal: false },
      { address: 'fe80::1', family: 'IPv6', internal: false },
      { address: '2001:db8::20', family: 'IPv6', internal: false },
    ],
  } as never;
  it('are its own, the one of multicast DNS, and its addresses', () => {
    expect(namesOfHost('Tank.lan')).toEqual(['tank.lan', 'tank.local']);
    expect(namesToReach('tank', interfaces)).toEqual(['tank', 'tank.local', '192.168.1.20']);
    expect(namesToCertify('tank', interfaces)).toEqual([
      'tank',
      'tank.local',
      'localhost',
      '127.0.0.1',
      '::1',
      '192.168.1.20',
      '2001:db8::20',
    ]);
  });
  it('leave out what is no name', () => {
    expect(namesOfHost('a b,DNS:evil')).toEqual([]);
  });
});

describe('the alert of a certificate', () => {
  const view = (kind: 'own' | 'given', days: number) =>
    ({ kind, subject: 'nas', notAfter: now + days * DAY_MS }) as never;
  it('tells of one that ends soon, louder in the last days, and of one of our own only when it was not renewed', () => {
    expect(certificateConditions(null, now)).toEqual([]);
    expect(certificateConditions(view('given', 30), now)).toEqual([]);
    expect(certificateConditions(view('own', 20), now)).toEqual([]);
    expect(certificateConditions(view('given', 20), now)).toMatchObject([{ severity: 'warning' }]);
    expect(certificateConditions(view('own', 2), now)).toMatchObject([{ severity: 'critical' }]);
    expect(certificateConditions(view('given', -1), now)).toMatchObject([
      { severity: 'critical', title: 'The certificate has expired' },
    ]);
  });
});
