/** The server by HTTPS, as a process: from the first start on, with its own certificate, and with one that is given. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN, Appliance } from '../support/appliance';
import { Authority } from '../support/certificates';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  peer: PeerCertificate;
}

class SecureAppliance extends Appliance {
  /** @param options `ca`: certificates to trust, and nobody else; none: whatever is shown */
  ask(
    method: string,
    path: string,
    { headers = {}, body = '', ca }: { headers?: Record<string, string>; body?: string; ca?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...{ host: '127.0.0.1', port: this.port, path, method, headers, agent: false },
          ...(ca === undefined ? { rejectUnauthorized: false } : { ca, servername: 'localhost' }),
        },
        (response) => {
          const peer = (response.socket as TLSSocket).getPeerCertificate();
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, peer }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }
  protected override isReady(): Promise<boolean> {
    return this.ask('GET', '/api/ready').then(
      ({ status }) => status === 200,
      () => false,
    );
  }
  /** A change by the API, to its end. */
  async change(method: string, path: string, sent?: unknown) {
    const body = sent === undefined ? '' : JSON.stringify(sent);
    const headers = { 'x-api-key': this.apiKey, ...(body ? { 'content-type': 'application/json' } : {}) };
    const answer = await this.ask(method, `/api/v1${path}`, { headers, body });
    const { operationId, error } = JSON.parse(answer.body) as {
      operationId?: string;
      error?: { code: string; message: string; remedy: string; details: { issues: { field: string }[] } };
    };
    if (operationId)
      await expect
        .poll(async () => (await this.read(`/operations/${operationId}`)).body, { timeout: 4_000 })
        .toContain('"succeeded"');
    return { status: answer.status, error };
  }
  read(path: string): Promise<Answer> {
    return this.ask('GET', `/api/v1${path}`, { headers: { 'x-api-key': this.apiKey } });
  }
  get fingerprint(): string {
    return /^Certificate: SHA-256 ([0-9A-F:]{95}) /m.exec(this.output)?.[1] ?? '';
  }
}

const appliance = new SecureAppliance({ drives: 0, env: { CAIRN_TLS: '1' } });
const authority = new Authority();
const plainUrl = (path = '/'): string => `http://127.0.0.1:${appliance.port}${path}`;
const tlsFolder = join(appliance.dataDir, 'tls');
let cookie = '';

beforeAll(async () => {
  await appliance.start();
});
afterAll(async () => {
  await appliance.remove();
  authority.remove();
});

describe('the first start', () => {
  it('serves HTTPS, and prints the fingerprint of what it shows next to the first-run code', async () => {
    const { peer, status } = await appliance.ask('GET', '/api/health');
    expect(status).toBe(200);
    expect(appliance.fingerprint).toBe(peer.fingerprint256);
    expect(appliance.output).toContain(`is ready at https://127.0.0.1:${appliance.port}\n`);
    expect(appliance.code).not.toBe('');
    expect(peer).toMatchObject({ nistCurve: 'P-256' });
    expect(peer.subjectaltname).toContain('DNS:localhost');
    expect(peer.subjectaltname).toContain('IP Address:127.0.0.1');
    // Good for whoever has looked at the fingerprint and trusts it.
    const own = `-----BEGIN CERTIFICATE-----\n${peer.raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect((await appliance.ask('GET', '/api/health', { ca: own })).status).toBe(200);
  });
  it('keeps the key where only root reads it', () => {
    const [file = ''] = readdirSync(tlsFolder).filter((name) => name.startsWith('own-'));
    expect(statSync(tlsFolder).mode & 0o777).toBe(0o700);
    expect(statSync(join(tlsFolder, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(tlsFolder, file), 'utf8')).toContain('BEGIN PRIVATE KEY');
    expect(appliance.output).not.toContain('PRIVATE KEY');
  });
  it('sends who speaks plain HTTP to the same address by HTTPS, and takes nothing else in the clear', async () => {
    const answer = await fetch(plainUrl('/login?x=1'), { redirect: 'manual' });
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(`https://127.0.0.1:${appliance.port}/login?x=1`);
    const posted = await fetch(plainUrl('/trpc/session.login'), { method: 'POST', body: '{}' });
    expect(posted.status).toBe(400);
    expect(await posted.text()).toContain('This port speaks HTTPS');
    const status = await new Promise<number | undefined>((resolve) =>
      httpRequest(
        { host: '127.0.0.1', port: appliance.port, headers: { host: 'evil.example' } },
        ({ statusCode, headers }) => resolve(headers.location ? -1 : statusCode),
      ).end(),
    );
    expect(status).toBe(400);
  });
  it('goes on when somebody connects and speaks nonsense, or goes at once', async () => {
    for (const text of ['', '\u0016', '\u0016\u0003\u0001', '\0\0\0', 'NONSENSE\r\n\r\n'])
      await new Promise<void>((resolve) => {
        const socket = connectPlain(appliance.port, '127.0.0.1', () => socket.end(text));
        socket.on('close', () => resolve());
        socket.on('error', () => resolve());
        socket.resume();
      });
    expect((await appliance.ask('GET', '/api/health')).status).toBe(200);
  });
});

describe('a session by HTTPS', () => {
  const headers = (origin: string) => ({ 'content-type': 'application/json', origin });
  it('has a cookie that no plain connection carries', async () => {
    const origin = `https://127.0.0.1:${appliance.port}`;
    const body = JSON.stringify({ code: appliance.code, ...ADMIN });
    const crossed = await appliance.ask('POST', '/trpc/session.setup', {
      ...{ headers: headers(`http://127.0.0.1:${appliance.port}`), body },
    });
    expect(crossed.status).toBe(403);
    const done = await appliance.ask('POST', '/trpc/session.setup', { headers: headers(origin), body });
    expect(done.status).toBe(200);
    const [set = ''] = done.headers['set-cookie'] ?? [];
    expect(set).toMatch(/; Secure/);
    expect(set).toMatch(/; HttpOnly/);
    cookie = set.split(';')[0] ?? '';
    const key = await appliance.ask('POST', '/trpc/apiKeys.create', {
      ...{ headers: { ...headers(origin), cookie }, body: '{"name":"tests","role":"admin"}' },
    });
    appliance.apiKey = (JSON.parse(key.body) as { result: { data: { key: string } } }).result.data.key;
  });
  it('opens its socket from a page of the same address only', async () => {
    const socketFrom = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`wss://127.0.0.1:${appliance.port}/trpc-ws`, {
          ...{ origin, headers: { cookie }, rejectUnauthorized: false },
        });
        socket.on('open', () => resolve('open'));
        socket.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
        socket.on('error', () => socket.terminate());
        socket.on('open', () => socket.close());
      });
    expect(await socketFrom(`https://127.0.0.1:${appliance.port}`)).toBe('open');
    expect(await socketFrom(`http://127.0.0.1:${appliance.port}`)).toBe('403');
    expect(await socketFrom('https://evil.example')).toBe('403');
  });
});

describe('the certificate', () => {
  it('is replaced while connections are open, without a restart, and after one is still the same', async () => {
    const before = appliance.fingerprint;
    const made = authority.issue(['localhost', 'nas.example.org']);
    const open = connect({ port: appliance.port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => open.once('secureConnect', resolve));
    const chain = made.certificate + authority.certificate;
    expect(await appliance.change('PUT', '/certificate', { chain, key: made.key })).toMatchObject({
      status: 202,
    });

    const after = await appliance.ask('GET', '/api/health', { ca: authority.certificate });
    expect(after.peer.subject.CN).toBe('localhost');
    expect(open.destroyed).toBe(false);
    open.destroy();
    // Its names are names of this host now.
    expect((await appliance.ask('GET', '/api/health', { headers: { host: 'nas.example.org' } })).status).toBe(
      200,
    );
    const { certificate } = JSON.parse((await appliance.read('/certificate')).body) as {
      certificate: { kind: string; fingerprint: string; chainLength: number };
    };
    expect(certificate).toMatchObject({
      kind: 'given',
      fingerprint: after.peer.fingerprint256,
      chainLength: 2,
    });
    expect(certificate.fingerprint).not.toBe(before);
    // No part of the key got into what is kept of an operation.
    const secret = made.key.split('\n')[1] ?? '?';
    const journal = JSON.stringify([
      appliance.query('SELECT * FROM operations'),
      appliance.query('SELECT * FROM steps'),
    ]);
    expect(journal).toContain('certificate.replace');
    expect(journal).not.toContain(secret);

    await appliance.kill('SIGTERM');
    await appliance.start();
    expect((await appliance.ask('GET', '/api/health', { ca: authority.certificate })).status).toBe(200);
    expect(appliance.fingerprint).toBe(certificate.fingerprint);
  });
  it('is refused by name when it cannot be used, and nothing of it stays', async () => {
    const [made, other] = [authority.issue(['a.example']), authority.issue(['b.example'])];
    const files = readdirSync(tlsFolder);
    const { status, error } = await appliance.change('PUT', '/certificate', {
      ...{ chain: made.certificate, key: other.key },
    });
    expect(status).toBe(400);
    expect(error).toMatchObject({
      ...{ code: 'certificate_pair', message: 'The key does not belong to "a.example".' },
      details: { issues: [{ field: 'key' }] },
    });
    expect(error?.remedy).toBeTruthy();
    const ended = authority.issue(['c.example'], { days: -1 });
    expect(
      (await appliance.change('PUT', '/certificate', { chain: ended.certificate, key: ended.key })).error,
    ).toMatchObject({ code: 'certificate_expired' });
    expect(readdirSync(tlsFolder)).toEqual(files);
  });
  it('goes back to one of its own', async () => {
    expect(await appliance.change('DELETE', '/certificate')).toMatchObject({ status: 202 });
    const { peer } = await appliance.ask('GET', '/api/health');
    expect(peer.subject.O).toBe('Cairn');
  });
  it.each(['recorded', 'acting', 'acted', 'ending'])(
    'is one of the two, and the operation has its verdict, when the server is killed at "%s"',
    async (point) => {
      const made = authority.issue(['localhost']);
      appliance.crashAt(`${point}@certificate.replace/*:alone`);
      const sent = appliance.change('PUT', '/certificate', { chain: made.certificate, key: made.key });
      await sent.catch(() => 'the server died before it answered');
      expect(await appliance.ended(10_000)).toBe(true);
      appliance.crashAt('');
      await appliance.start();
      const latest = () =>
        appliance.query<{ state: string; verdict: string }>(
          'SELECT state, verdict FROM operations ORDER BY created_at DESC LIMIT 1',
        )[0];
      // The verdict is there when the server answers; what is to be finished may still be at it.
      await expect.poll(() => latest()?.state, { timeout: 10_000 }).not.toMatch(/running|undoing/);
      const last = latest();
      const { peer } = await appliance.ask('GET', '/api/health');
      expect([last?.state, peer.subject.O]).toEqual(
        last?.verdict === 'taken-back' ? ['failed', 'Cairn'] : ['succeeded', undefined],
      );
      expect(last?.verdict).toBe(point === 'recorded' || point === 'acting' ? 'taken-back' : last?.verdict);
      if (last?.state === 'succeeded') await appliance.change('DELETE', '/certificate');
    },
  );
  it('is made anew where its file was lost or damaged', async () => {
    await appliance.kill('SIGTERM');
    const name = readFileSync(join(tlsFolder, 'in-use'), 'utf8').trim();
    writeFileSync(join(tlsFolder, `${name}.pem`), 'damaged');
    await appliance.start();
    const { peer } = await appliance.ask('GET', '/api/health');
    expect(peer.fingerprint256).toBe(appliance.fingerprint);
  });
});
