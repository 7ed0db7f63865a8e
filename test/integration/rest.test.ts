/** The HTTP surface of the real server: who gets in, and what strange requests are told. Without drives. */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../support/appliance';
import { parseMetrics } from '../support/parse-metrics';

interface Refusal {
  error: { code: string; message: string; details: Record<string, unknown>; remedy: string | null };
}
const made = new Appliance({ drives: 0 });
beforeAll(async () => {
  await made.start();
  await made.setUp();
}, 60_000);
afterAll(() => made.remove());

const JSON_TYPE = { 'content-type': 'application/json' };
async function ask(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Refusal; headers: Headers }> {
  const response = await fetch(made.url + path, init);
  const text = await response.text();
  expect(text).not.toMatch(/node_modules|at .*\.[jt]s:\d+/);
  return { status: response.status, body: JSON.parse(text) as Refusal, headers: response.headers };
}
const withKey = (init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { 'x-api-key': made.apiKey, ...(init.headers as Record<string, string>) },
});

/** A request byte by byte, for what fetch would put right. @returns status and body */
function raw(request: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(made.port, '127.0.0.1', () => socket.end(request.replaceAll('\n', '\r\n')));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', ...rest] = answer.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), text: rest.join('') });
    });
  });
}

describe('a request without a session or key', () => {
  it.each(['/pools', '/drives', '/operations', '/plugins', '/pools/x/outputs'])(
    'for %s is told to sign in',
    async (path) => {
      const { status, body } = await ask(`/api/v1${path}`);
      expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
    },
  );
  it('with a wrong key is told so, even when a session comes along', async () => {
    const { status } = await ask('/api/v1/pools', {
      headers: { 'x-api-key': 'cairn_wrong', cookie: made.cookie },
    });
    expect(status).toBe(401);
  });
});

describe('a key', () => {
  it('reads what its role may read, and is refused the rest by name', async () => {
    const { body } = await made.trpc<{ key: string }>('apiKeys.create', { name: 'reader', role: 'viewer' });
    const headers = { 'x-api-key': body.key, ...JSON_TYPE };
    expect((await ask('/api/v1/pools', { headers })).status).toBe(200);
    const refused = await ask('/api/v1/pools', { method: 'POST', headers, body: '{}' });
    expect([refused.status, refused.body.error.code, refused.body.error.details]).toEqual([
      403,
      'forbidden',
      { needed: 'operator', role: 'viewer' },
    ]);
  });
  it('opens no procedure of the pages', async () => {
    const response = await fetch(`${made.url}/trpc/pools.list`, withKey());
    expect(response.status).toBe(401);
  });
});

describe('a page of another site', () => {
  it.each([
    ['posts JSON', { origin: 'http://evil.example', ...JSON_TYPE }],
    ['posts a form', { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' }],
    ['posts from a sandboxed frame', { origin: 'null', ...JSON_TYPE }],
    ['posts without Origin', { 'sec-fetch-site': 'cross-site', ...JSON_TYPE }],
    ['posts from another port', { origin: 'http://127.0.0.1:1', ...JSON_TYPE }],
  ])('that %s with our cookie is refused', async (_title, headers) => {
    const init = { method: 'POST', headers: { cookie: made.cookie, ...headers }, body: '{}' };
    const rest = await ask('/api/v1/pools', init);
    expect([rest.status, rest.body.error.code]).toEqual([403, 'bad_origin']);
    const call = await fetch(`${made.url}/trpc/session.logout`, init);
    const body = (await call.json()) as { error: { data: { appError: { code: string } } } };
    expect([call.status, body.error.data.appError.code]).toEqual([403, 'bad_origin']);
  });
  it.each(['/', '/api/health', '/favicon.svg', '/trpc/session.state'])(
    'that reaches %s by a name of its own is refused',
    async (path) => {
      const { status, text } = await raw(
        `GET ${path} HTTP/1.1\nHost: evil.example:${made.port}\nConnection: close\n\n`,
      );
      expect([status, (JSON.parse(text) as Refusal).error.code]).toEqual([403, 'bad_host']);
    },
  );
});

describe('a strange request', () => {
  const body = (text: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    ask('/api/v1/pools', withKey({ method: 'POST', headers: { 'content-type': type }, body: text }));

  it.each(['{', '', '[1,', '"\ud800', 'null', '[]', '3', '{"label":1}'])(
    'with the body %j gets a 4xx with a code',
    async (text) => {
      const answer = await body(text);
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toMatch(
        /^(malformed_json|invalid_input|label_empty|no_drives|unknown_\w+)$/,
      );
    },
  );
  it('with bytes that are no UTF-8 is told that it is not JSON', async () => {
    expect((await body(new Uint8Array([0x22, 0xff, 0x22]))).body.error.code).toBe('malformed_json');
  });
  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x'])(
    'of type %s is told the right one',
    async (type) => {
      const answer = await body('{}', type);
      expect([answer.status, answer.body.error.code]).toEqual([415, 'unsupported_media_type']);
    },
  );
  it('with a field that nobody knows is told its name', async () => {
    const answer = await body('{"label":"a","plugin":"btrfs","layout":"single","drives":[],"colour":1}');
    expect(JSON.stringify(answer.body.error.details)).toContain('"field":"colour"');
    expect(answer.status).toBe(400);
  });
  it('with a body over 256 KiB is refused, with or without its length said', async () => {
    const text = JSON.stringify({ label: 'x'.repeat(300_000) });
    const said = await body(text);
    expect([said.status, said.body.error.code]).toEqual([413, 'body_too_large']);
    const stream = new Blob([text]).stream();
    const unsaid = await ask('/api/v1/pools', {
      ...withKey({ method: 'POST', headers: JSON_TYPE, body: stream }),
      duplex: 'half',
    } as RequestInit);
    expect([unsaid.status, unsaid.body.error.code]).toEqual([413, 'body_too_large']);
    const call = await fetch(`${made.url}/trpc/session.login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: text,
    });
    expect([call.status, JSON.stringify(await call.json())]).toEqual([
      413,
      expect.stringContaining('body_too_large'),
    ]);
  });

  it.each([
    '/api/v1/nonsense',
    '/api/nonsense',
    '/api/v2/pools',
    '/api/v1/pools/nonsense',
    '/api/v1/pools/..%2f..%2fetc%2fpasswd',
    '/api/v1/pools/%2e%2e',
    '/api/v1/operations/%F0%9F%98%80',
    '/api/v1/drives/constructor',
    '/api/v1/operations/__proto__/outputs',
  ])('for %s gets 404 with a code', async (path) => {
    const answer = await ask(path, withKey());
    expect(answer.status).toBe(404);
    expect(answer.body.error.code).toMatch(/not_found$/);
  });
  it.each(['/api/v1/pools/%00', '/api/v1/pools/%', '/api/v1/pools/%zz', '/%ff', '/api/v1/drives/a%00b'])(
    'for %s, which is no address, gets 400 with a code',
    async (path) => {
      const { status, text } = await raw(
        `GET ${path} HTTP/1.1\nHost: 127.0.0.1:${made.port}\nX-Api-Key: ${made.apiKey}\nConnection: close\n\n`,
      );
      expect([status, (JSON.parse(text) as Refusal).error.code]).toEqual([400, 'invalid_input']);
    },
  );
  it.each([
    ['DELETE', '/api/v1/pools', 'GET, POST'],
    ['PUT', '/api/v1/drives', 'GET'],
    ['PATCH', '/api/v1/operations/x', 'GET'],
    ['GET', '/api/v1/pools/x/mount', 'POST'],
    ['POST', '/api/health', 'GET'],
  ])('of method %s for %s is told which it takes', async (method, path, allow) => {
    const answer = await ask(path, withKey({ method }));
    expect([answer.status, answer.body.error.code, answer.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      allow,
    ]);
  });
  it.each(['?limit=0', '?limit=x', '?limit=99999', '?nonsense=1', '?before=1e400'])(
    'with the query %s is told which field is wrong',
    async (query) => {
      const answer = await ask(`/api/v1/operations${query}`, withKey());
      expect([answer.status, answer.body.error.details['issues']]).toEqual([400, [expect.anything()]]);
    },
  );
  it.each([
    'GET http://evil.example/api/health HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n\n',
    'GET //evil.example/ HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n\n',
    'GET / HTTP/1.1\nConnection: close\n\n',
    'NONSENSE\n\n',
    'POST /api/v1/pools HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: abc\nConnection: close\n\n',
  ])('%j is answered without an error of ours', async (request) => {
    const { status } = await raw(request.replaceAll('PORT', String(made.port)));
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
  });
  it('leaves nothing unexpected in the log, and the server answering', async () => {
    expect((await ask('/api/health')).status).toBe(200);
    expect(made.output).not.toMatch(/unexpected error|"level":50/);
  });
});

describe('every page', () => {
  it('is sent with a policy that runs no inline script but the one of the page, and cannot be framed', async () => {
    const response = await fetch(`${made.url}/login`, { headers: { cookie: '' } });
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self'( 'nonce-[^']+'| 'sha256-[^']+')*(;|$)/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    for (const part of [
      "default-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(part);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    const html = await response.text();
    const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)([^>]*)>/g)].map(([, attributes]) => attributes);
    expect(inline.filter((attributes) => !attributes?.includes('nonce='))).toEqual([]);
  });

  it('that is not there says so without a stack', async () => {
    const response = await fetch(`${made.url}/nonsense`, { headers: { cookie: made.cookie } });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toMatch(/node_modules/);
  });

  it('sets a cookie that scripts cannot read and other sites cannot send', async () => {
    const response = await fetch(`${made.url}/trpc/session.login`, {
      method: 'POST',
      headers: { ...JSON_TYPE, origin: made.url },
      body: JSON.stringify({ username: 'admin', password: 'correct horse battery' }),
    });
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toMatch(/^cairn_session=[a-z0-9]{40}; /);
    for (const part of ['HttpOnly', 'SameSite=Lax', 'Path=/', 'Max-Age=34560000'])
      expect(cookie).toContain(part);
    expect(cookie).not.toContain('Secure');
  });
});

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, { parameters: { in: string; name: string }[]; requestBody?: object }>>;
}
const addressesOf = ({ paths }: OpenApi): [method: string, path: string][] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path]),
  );
const openApi = async (): Promise<OpenApi> =>
  (await (await fetch(`${made.url}/api/v1/openapi.json`, withKey())).json()) as OpenApi;

describe('the OpenAPI document', () => {
  it('has every address that there is, with its methods', async () => {
    const routes = readdirSync('src/routes/api/v1', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('+server.ts'))
      .flatMap((name) => {
        const path = `/api/v1/${name.replace(/\/\+server\.ts$/, '')}`.replace(/\[(\w+)\]/g, '{$1}');
        const text = readFileSync(`src/routes/api/v1/${name}`, 'utf8');
        return [...text.matchAll(/export const (GET|POST|PUT|PATCH|DELETE)\b/g)].map(
          ([, method]) => `${method} ${path}`,
        );
      });
    const documented = addressesOf(await openApi()).map((entry) => entry.join(' '));
    expect(documented.sort()).toEqual(routes.sort());
    expect(documented.length).toBeGreaterThan(100);
  });
  it('names each parameter of a path, and the body wherever one is read', async () => {
    const { paths, openapi } = await openApi();
    expect(openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(paths))
      for (const operation of Object.values(methods)) {
        const named = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
        expect(named).toEqual(path.match(/\{\w+\}/g) ?? []);
      }
    const create = paths['/api/v1/vms']?.['post']?.requestBody;
    expect(JSON.stringify(create)).toContain('"memoryBytes"');
  });
  it('tells nobody of an address that does not answer', async () => {
    for (const [method, path] of addressesOf(await openApi())) {
      const url = `${made.url}${path.replaceAll(/\{\w+\}/g, 'x')}`;
      const { status } = await fetch(url, { method });
      expect([method, path, status]).toEqual([method, path, 401]);
    }
  });
});

describe('metrics', () => {
  const metrics = (token: string) =>
    fetch(`${made.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const keyWith = async (scope: string): Promise<string> => {
    const wish = { name: scope, role: 'viewer', scopes: [scope] };
    return (await made.trpc<{ key: string }>('apiKeys.create', wish)).body.key;
  };
  it('are told to a key with their scope, and to no other', async () => {
    const answer = await metrics(await keyWith('metrics'));
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const families = parseMetrics(await answer.text());
    const names = families.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['cairn_build_info', 'cairn_operations', 'process_cpu_seconds_total']),
    );
    expect((await metrics(await keyWith('read'))).status).toBe(403);
    expect((await metrics('cairn_wrong')).status).toBe(401);
    expect((await fetch(`${made.url}/metrics`)).status).toBe(401);
  });
});
