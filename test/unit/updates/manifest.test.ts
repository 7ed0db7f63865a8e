import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { requireChannel } from '$lib/server/updates/channel';
import {
  compareVersions,
  judgeOffer,
  openManifest,
  readKeys,
  requireNotOlder,
} from '$lib/server/updates/manifest';

const pair = generateKeyPairSync('ed25519');
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const keys = readKeys(pem(pair.publicKey));
const content = {
  ...{
    format: 1,
    product: 'cairn',
    version: '1.2.0',
    date: '2030-01-02T00:00:00.000Z',
    minimumVersion: '1.0.0',
  },
  notes: '# What is new\n<script>alert(1)</script>',
  files: { x64: { name: 'cairn-1.2.0-linux-x64.tar.gz', sizeBytes: 5, sha256: 'a'.repeat(64) } },
};
const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const signed = (bytes: Buffer, key = pair.privateKey): string =>
  `${sign(null, bytes, key).toString('base64')}\n`;
const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a manifest', () => {
  it('is read when one of the keys has signed its very bytes', () => {
    const bytes = bytesOf(content);
    expect(openManifest(bytes, signed(bytes), keys)).toEqual(content);
    const two = readKeys(pem(generateKeyPairSync('ed25519').publicKey) + pem(pair.publicKey));
    expect(openManifest(bytes, signed(bytes), two)).toEqual(content);
  });

  it('is refused when any byte of it, or of its signature, is another one', () => {
    const bytes = bytesOf(content);
    const signature = signed(bytes);
    for (let at = 0; at < bytes.length; at += 7) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(codeOf(() => openManifest(other, signature, keys))).toBe('update_signature_wrong');
    }
    const spaced = Buffer.from(JSON.stringify(content, null, 1));
    expect(
      codeOf(() => openManifest(spaced, signature, keys)),
      'the same JSON, other bytes',
    ).toBe('update_signature_wrong');
    const strange = generateKeyPairSync('ed25519').privateKey;
    for (const wrong of ['', 'AAAA', `${'A'.repeat(86)}==`, ` ${signature}`, signed(bytes, strange)])
      expect(
        codeOf(() => openManifest(bytes, wrong, keys)),
        wrong,
      ).toBe('update_signature_wrong');
  });

  it.each<[string, unknown]>([
    ['of another format', { ...content, format: 2 }],
    ['of another product', { ...content, product: 'other' }],
    ['with a version that has no order', { ...content, version: '1.2.0-rc.1' }],
    ['with a version that climbs', { ...content, version: '../../1.2.0' }],
    ['with what nobody knows', { ...content, script: 'rm' }],
    [
      'whose file is one of another version',
      { ...content, files: { x64: { ...content.files.x64, name: 'cairn-1.1.0-linux-x64.tar.gz' } } },
    ],
    ['whose file climbs', { ...content, files: { x64: { ...content.files.x64, name: '../../etc/passwd' } } }],
    ['that is no object', 'cairn'],
  ])('%s is refused although it is signed', (_title, value) => {
    const bytes = bytesOf(value);
    expect(codeOf(() => openManifest(bytes, signed(bytes), keys))).toBe('update_manifest_invalid');
  });
});

describe('keys', () => {
  it('are ed25519 ones, and at least one', () => {
    const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    for (const wrong of ['', 'no key', rsa, pem(pair.publicKey) + rsa])
      expect(codeOf(() => readKeys(wrong))).toBe('update_keys_missing');
  });
});

describe('an offer', () => {
  const { files, ...rest } = content;
  const offered = { ...rest, file: files.x64 };

  it('orders versions by their numbers', () => {
    expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0);
    expect(compareVersions('2.0.0', '10.0.0')).toBeLessThan(0);
    expect(compareVersions('1.2.3', '1.2.3')).toBe(0);
  });

  it('is neither older than what runs nor than what was offered before', () => {
    expect(codeOf(() => requireNotOlder(content, '1.2.0', content))).toBeUndefined();
    expect(codeOf(() => requireNotOlder(content, '1.3.0', null))).toBe('update_downgrade');
    expect(codeOf(() => requireNotOlder(content, '1.0.0', { ...content, version: '1.2.1' }))).toBe(
      'update_replayed',
    );
    const later = { ...content, date: '2030-01-03T00:00:00.000Z' };
    expect(codeOf(() => requireNotOlder(content, '1.0.0', later))).toBe('update_replayed');
  });

  it('says what it means for this host', () => {
    expect(judgeOffer(null, '1.0.0', 'x64').state).toBe('unknown');
    expect(judgeOffer(offered, '1.2.0', 'x64').state).toBe('current');
    expect(judgeOffer(offered, '1.0.0', 'x64')).toEqual({ state: 'available', why: null });
    expect(judgeOffer({ ...offered, file: null }, '1.0.0', 'arm64')).toMatchObject({
      state: 'unsuitable',
      why: 'Version 1.2.0 is not made for arm64.',
    });
    expect(judgeOffer(offered, '0.9.0', 'x64').why).toMatch(/1\.0\.0 or later/);
  });
});

describe('a channel', () => {
  it('is a folder, or an address that nobody can listen to', () => {
    expect(requireChannel('/srv/updates')).toEqual({ folder: '/srv/updates' });
    expect(requireChannel('https://example.org/cairn')).toMatchObject({
      url: { href: 'https://example.org/cairn/' },
    });
    for (const wrong of [
      'updates',
      'http://example.org/',
      'ftp://example.org/',
      'https://a:b@example.org/',
      '',
    ])
      expect(
        codeOf(() => requireChannel(wrong)),
        wrong,
      ).toBe('update_channel_invalid');
  });
});
