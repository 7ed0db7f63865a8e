/** The support bundle: secrets are planted wherever they could be, and none is found in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '$lib/server/auth/secrets';
import { shellWord } from '$lib/server/host/shell-word';
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

/** As people choose them, and as programs make them. */
const PLANTED = {
  channel: 'horse-battery-9',
  word: 'sunflowers',
  address: 'https://discord.com/api/webhooks/1/Qx7_abcdEFGH-ijk',
  pool: "Ünder the 'bridge' & <water>",
  cloudInit: 'Zitronen#Falter77',
  userData: 'join-token-0f1e2d',
  totp: 'JBSWY3DPEHPK3PXP',
  tls: 'MHcCAQEEIODZ5EJ1Fe8X0Y2Zc3RlcmVkLWtleS1zdHJlYW0',
  wifi: 'attic-wifi-psk-1',
  vnc: 'vncpass42',
  bearer: 'tk_AgQdq7mVBoFD37zQVN29',
  url: 's3cr3t-in-url',
  query: 'X-Amz-Signature-abcdef',
  crypt: '$6$rounds=5000$saltsalt$Hs1cK0abc',
  key: 'MIIEvQIBADANBgkq',
  firstRun: 'ABCD-EF23-GH45',
  environment: 'proxy-pass-3141',
};
/** Those that are kept on this host, and are known in every spelling. */
const KEPT = ['channel', 'word', 'address', 'pool', 'cloudInit', 'totp', 'tls'] as const;

/** As programs write what they were given. @returns by the name of the spelling */
function spelled(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  return {
    plain: secret,
    json: JSON.stringify(secret).slice(1, -1),
    base64: bytes.toString('base64').replace(/=+$/, ''),
    base64url: bytes.toString('base64url'),
    // In the middle of more, as in a header or a whole document.
    'base64 of a header': Buffer.from(`user:${secret}`).toString('base64'),
    'base64 of a document': Buffer.from(`#cloud-config\npassword: ${secret}\n`).toString('base64'),
    hex: bytes.toString('hex'),
    HEX: bytes.toString('hex').toUpperCase(),
    'hex with colons': bytes.toString('hex').replaceAll(/(..)(?!$)/g, '$1:'),
    url: encodeURIComponent(secret),
    xml: secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    shell: secret.replaceAll("'", `'\\''`),
  };
}
/** What of a spelling must not be there: of base64 in the middle of more, only what is its own. */
const ownPart = (name: string, text: string): string =>
  name.startsWith('base64 of') ? text.slice(Math.ceil(text.length / 3), -6) : text;

async function bundleOf(lines: string[]): Promise<string> {
  const { config, clock, feed, auth } = bench.services;
  const { token } = await setUpAdmin(bench.services);
  const { key } = auth.apiKeys.create({ name: 'script', role: 'admin', scopes: null, expiresAt: null });
  const userData = `#cloud-config\nruncmd:\n  - 'k3s agent ${PLANTED.userData}'\n`;
  const operation = {
    ...{ id: 'op-1', title: 'Plug in', state: 'succeeded', evidence: lines, error: { message: lines[0] } },
    subject: { type: 'vm', id: 'v', label: lines[0] },
    steps: [
      {
        name: 'write-user-data',
        command: `printf %s ${shellWord(userData)} > /mnt/tank/machines/v/user-data`,
      },
    ],
  } as unknown as Operation;
  bench.services.feed.put('operations', operation.id, operation);
  const { stream, name } = await createSupport({
    ...{ db: bench.db, config, clock, version: '1.0.0', feed },
    host: {
      commands: {
        read: () => Promise.resolve({ stdout: lines.join('\n'), stderr: '', exitCode: 0 }),
      } as never,
    },
    boots: { page: () => ({ items: [{ id: '1', lines }], nextBefore: null }) } as never,
    doctor: {
      check: () =>
        Promise.resolve({
          checkedAt: 1,
          verdict: 'ok',
          checks: [{ text: lines.join(' ') }],
        } as unknown as DoctorReport),
    },
    validate: { check: () => Promise.resolve({ checkedAt: 1, differences: lines }) } as never,
    operations: {
      page: () => ({ items: [operation], nextBefore: null }),
      commands: () => [
        { argv: ['tool', ...lines], lines: [...lines, token, key] } as unknown as OutputCommand,
      ],
    } as never,
  }).bundle();
  expect(name).toMatch(/^cairn-support-[\d-]+\.tar\.gz$/);
  const text = gunzipSync(await buffer(stream)).toString('utf8');
  const [user] = bench.db.$client.prepare('SELECT password_hash AS hash FROM users').all() as {
    hash: string;
  }[];
  for (const secret of [key, token, user?.hash ?? 'no user']) expect(text).not.toContain(secret);
  return text;
}

describe('a support bundle', () => {
  it('has what helps, and none of the secrets that were planted everywhere', async () => {
    const { config } = bench.services;
    const plant = (folder: string, text: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'one'), text);
    };
    mkdirSync(config.channelSecretsDir, { recursive: true });
    const { password, token, url } = { password: PLANTED.channel, token: PLANTED.word, url: PLANTED.address };
    writeFileSync(join(config.channelSecretsDir, 'two'), JSON.stringify({ password, token, url }));
    plant(join(config.dataDir, 'pool-secrets'), `password=${PLANTED.pool}\n`);
    plant(config.secretsDir, `#cloud-config\npassword: ${PLANTED.cloudInit}\n`);
    plant(config.totpSecretsDir, PLANTED.totp);
    const pem = (kind: string, body: string): string =>
      `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`;
    plant(config.tlsDir, pem('EC PRIVATE KEY', PLANTED.tls));
    config.updateChannel = `https://me:${PLANTED.environment}@updates.example.org/`;
    const text = await bundleOf([
      ...KEPT.flatMap((name) =>
        Object.values(spelled(PLANTED[name])).map((spelling) => `told by ${spelling}.`),
      ),
      `wpa-psk ${PLANTED.wifi}`,
      `<graphics type='vnc' passwd='${PLANTED.vnc}'/>`,
      `Authorization: Bearer ${PLANTED.bearer}`,
      `https://me:${PLANTED.url}@example.org/image`,
      `https://example.org/image.qcow2?sig=${PLANTED.query}`,
      `root:${PLANTED.crypt}:19000`,
      `First-run code: ${PLANTED.firstRun}  (asked for when the first account is made)`,
      `-----BEGIN PRIVATE KEY-----\n${PLANTED.key}\n-----END PRIVATE KEY-----`,
    ]);
    for (const [where, secret] of Object.entries(PLANTED)) expect(text, where).not.toContain(secret);
    const left = KEPT.flatMap((name) =>
      Object.entries(spelled(PLANTED[name]))
        .filter(([spelling, written]) => text.includes(ownPart(spelling, written)))
        .map(([spelling]) => `${name}, ${spelling}`),
    );
    expect(left).toEqual([]);
    expect(text).toContain("printf %s '(taken out)' > /mnt/tank/machines/v/user-data");
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
    expect(JSON.parse(output)).toMatchObject([{ argv: expect.arrayContaining(['tool']) as string[] }]);
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
  it('is what is kept here in every place of base64, and nothing beside it', () => {
    const scrub = scrubber(['hunter2222']);
    for (const before of ['', 'a', 'ab', 'abc'])
      expect(scrub(Buffer.from(`${before}hunter2222 and more`).toString('base64'))).toContain('(taken out)');
    expect(scrub(Buffer.from('something else altogether').toString('base64'))).not.toContain('(taken out)');
  });
  it('is what only its hash is kept of', () => {
    const scrub = scrubber([sha256('abcd2345efgh6789'), sha256('cairn-session-token')]);
    expect(scrub('used abcd-2345-efgh-6789 and cairn-session-token')).toBe(
      'used (taken out) and (taken out)',
    );
  });
  it('is what a step writes into a file, not where', () => {
    const scrub = scrubber([]);
    const command = `printf %s ${shellWord("it's\nmany lines")} > /a/b && chmod 600 -- /a/b`;
    expect(scrub(command)).toBe("printf %s '(taken out)' > /a/b && chmod 600 -- /a/b");
    expect(scrub('printf %s plain > /a/b')).toBe("printf %s '(taken out)' > /a/b");
  });
  it('is nothing of what helps', () => {
    const text = 'mkfs.ext4 -U 8f0c /dev/sda1\nDrive S-1 has 4 pending sectors.';
    expect(scrubber([])(text)).toBe(text);
  });
});
