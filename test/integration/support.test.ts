/** The support bundle: secrets are planted wherever they could be, and none is found in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scrubber } from '$lib/server/support/scrub';
import { createSupport } from '$lib/server/support/bundle';
import type { OutputCommand } from '$lib/server/operations/types';
import type { DoctorReport } from '$lib/shared/wire/doctor';
import type { Operation } from '$lib/shared/wire/operations';
import { createServiceBench, setUpAdmin, type ServiceBench } from '../support/services';

let bench: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
});
afterEach(() => bench.close());

const PLANTED = {
  channel: 'horse-battery-9',
  cloudInit: 'Zitronen#Falter77',
  totp: 'JBSWY3DPEHPK3PXP',
  wifi: 'attic-wifi-psk-1',
  vnc: 'vncpass42',
  bearer: 'tk_AgQdq7mVBoFD37zQVN29',
  url: 's3cr3t-in-url',
  query: 'X-Amz-Signature-abcdef',
  crypt: '$6$rounds=5000$saltsalt$Hs1cK0abc',
  key: 'MIIEvQIBADANBgkq',
};

async function bundleOf(lines: string[]): Promise<string> {
  const { config, clock, feed, auth } = bench.services;
  const { token } = await setUpAdmin(bench.services);
  const { key } = auth.apiKeys.create({ name: 'script', role: 'admin', scopes: null, expiresAt: null });
  const operation = { id: 'op-1', title: 'Plug in', state: 'succeeded' } as Operation;
  const { stream, name } = await createSupport({
    ...{ db: bench.db, config, clock, version: '1.0.0', feed },
    host: {
      commands: {
        read: () => Promise.resolve({ stdout: lines.join('\n'), stderr: '', exitCode: 0 }),
      } as never,
    },
    boots: { page: () => ({ items: [], nextBefore: null }) } as never,
    doctor: { check: () => Promise.resolve({ checkedAt: 1, verdict: 'ok', checks: [] } as DoctorReport) },
    validate: { check: () => Promise.resolve({ checkedAt: 1, differences: [] }) } as never,
    operations: {
      page: () => ({ items: [operation], nextBefore: null }),
      commands: () => [{ argv: ['tool'], lines: [...lines, token, key] } as unknown as OutputCommand],
    } as never,
  }).bundle();
  expect(name).toMatch(/^cairn-support-[\d-]+\.tar\.gz$/);
  const text = gunzipSync(await buffer(stream)).toString('utf8');
  const [user] = bench.db.$client.prepare('SELECT password_hash AS hash FROM users').all() as {
    hash: string;
  }[];
  for (const secret of [key, user?.hash ?? 'no user']) expect(text).not.toContain(secret);
  return text;
}

describe('a support bundle', () => {
  it('has what helps, and none of the secrets that were planted everywhere', async () => {
    const { config } = bench.services;
    const plant = (folder: string, text: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'one'), text);
    };
    plant(config.channelSecretsDir, JSON.stringify({ password: PLANTED.channel }));
    plant(config.secretsDir, `#cloud-config\npassword: ${PLANTED.cloudInit}\n`);
    plant(config.totpSecretsDir, PLANTED.totp);
    const text = await bundleOf([
      `told by ${PLANTED.channel}, made with ${PLANTED.cloudInit}, ${PLANTED.totp}`,
      `wpa-psk ${PLANTED.wifi}`,
      `<graphics type='vnc' passwd='${PLANTED.vnc}'/>`,
      `Authorization: Bearer ${PLANTED.bearer}`,
      `https://me:${PLANTED.url}@example.org/image`,
      `https://example.org/image.qcow2?sig=${PLANTED.query}`,
      `root:${PLANTED.crypt}:19000`,
      `-----BEGIN PRIVATE KEY-----\n${PLANTED.key}\n-----END PRIVATE KEY-----`,
    ]);
    for (const [where, secret] of Object.entries(PLANTED)) expect(text, where).not.toContain(secret);
    for (const part of [
      'about.json',
      'settings.json',
      'doctor.json',
      'operations.json',
      'output/op-1.json',
      'tools/ip.txt',
    ])
      expect(text).toContain(part);
    expect(text).toContain('"version": "1.0.0"');
    expect(text).toContain('https://example.org/image.qcow2?');
    const output = /\[\n {2}\{\n {4}"argv"[\s\S]*?\n\]\n/.exec(text)?.[0] ?? '';
    expect(JSON.parse(output)).toMatchObject([{ argv: ['tool'] }]);
  });
});

describe('what is taken out', () => {
  it.each([
    ['"token": "abc def"', 'abc def'],
    ['{\\"password\\":\\"hunter2222\\"}', 'hunter2222'],
    ['psk=hunter2222', 'hunter2222'],
    ['password: $argon2id$v=19$m=19456$c2FsdA$aGFzaA', 'aGFzaA'],
  ])('of %s is the secret', (text, secret) => {
    expect(scrubber([])(text)).not.toContain(secret);
  });
  it('is nothing of what helps', () => {
    const text = 'mkfs.ext4 -U 8f0c /dev/sda1\nDrive S-1 has 4 pending sectors.';
    expect(scrubber([])(text)).toBe(text);
  });
});
