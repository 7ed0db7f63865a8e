import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createRequestGuard, hostnameOf } from '$lib/server/auth/request-guard';

const guard = createRequestGuard({
  hostname: 'Tank.lan',
  allowedHosts: ['nas.example.org'],
  host: '0.0.0.0',
  tls: false,
});
const headers = (values: Record<string, string>) => (name: string) => values[name] ?? null;

describe('the host name of a request', () => {
  const own = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]:8420` : `${address}:8420`));

  it.each([
    'localhost:8420',
    'LOCALHOST',
    '127.0.0.1:8420',
    '[::1]:8420',
    'tank.lan',
    'tank.local:1',
    ...own,
  ])('may be %s', (host) => expect(guard.hostAllowed(host)).toBe(true));
  it('may be a name that the administrator added', () => {
    expect(guard.hostAllowed('nas.example.org:443')).toBe(true);
  });
  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '8.8.8.8',
    '[2001:db8::1]',
    'localhost@evil.example',
    'localhost:8420/x',
    'localhost,evil.example',
    '',
    ' ',
    'a b',
  ])('may not be %j', (host) => expect(guard.hostAllowed(host)).toBe(false));
  it('must be there', () => expect(guard.hostAllowed(null)).toBe(false));
  it('is compared without case, port and closing dot', () => {
    expect(hostnameOf('NAS.Example.org.:80')).toBe('nas.example.org');
  });
});

describe('the origin of a request', () => {
  const cookie = 'cairn_session=x';
  const host = 'localhost:8420';
  it.each([
    ['our own page', { host, cookie, origin: 'http://localhost:8420' }],
    [
      'our own page behind a proxy that ends TLS',
      { host: 'nas.example.org', cookie, origin: 'https://nas.example.org' },
    ],
    [
      'a browser that sends no Origin but the fetch metadata',
      { host, cookie, 'sec-fetch-site': 'same-origin' },
    ],
    ['an address that the user typed', { host, cookie, 'sec-fetch-site': 'none' }],
    ['a program without a cookie', { host }],
    ['a program with a key', { host, 'x-api-key': 'k', origin: 'http://elsewhere.example' }],
  ])('lets in %s', (_title, values) => expect(guard.originAllowed(headers(values))).toBe(true));
  it.each([
    ['another site', { host, cookie, origin: 'http://evil.example' }],
    ['another site without a cookie', { host, origin: 'http://evil.example' }],
    ['another port of this machine', { host, cookie, origin: 'http://localhost:3000' }],
    ['a sandboxed frame', { host, cookie, origin: 'null' }],
    ['a page opened from a file', { host, cookie, origin: 'file://' }],
    ['fetch metadata of another site', { host, cookie, 'sec-fetch-site': 'cross-site' }],
    ['fetch metadata of a sister site', { host, cookie, 'sec-fetch-site': 'same-site' }],
    ['a cookie that comes from nowhere', { host, cookie }],
    [
      'a key that came along with a cookie',
      { host, cookie, 'x-api-key': 'k', origin: 'http://evil.example' },
    ],
  ])('keeps out %s', (_title, values) => expect(guard.originAllowed(headers(values))).toBe(false));
});
