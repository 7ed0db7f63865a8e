import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, issue, issuesError } from '$lib/server/errors';
import { appRouter } from '$lib/server/trpc/app-router';
import type { RequestContext } from '$lib/server/trpc/context';
import { answerTrpc } from '$lib/server/trpc/http';
import type { ProcedureMeta } from '$lib/server/trpc/init';
import type { WireAppError } from '$lib/server/wire-error';
import { roleAllows, ROLES, type Role } from '$lib/shared/states';
import { actorOf, contextOf, createServiceBench, PASSWORD, type ServiceBench } from '../support/services';

interface ProcedureLike {
  _def: { type: 'query' | 'mutation' | 'subscription'; meta?: ProcedureMeta };
}
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, ProcedureLike>).map(
  ([path, procedure]) => ({ path, type: procedure._def.type, role: procedure._def.meta?.role }),
);

let bench: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
});
afterEach(() => bench.close());

interface Answer {
  status: number;
  data: unknown;
  error: (WireAppError & { raw: string }) | null;
}
/** One call over HTTP, as a browser would send it. */
async function call(
  path: string,
  type: 'query' | 'mutation' | 'subscription',
  input: unknown,
  context: RequestContext,
): Promise<Answer> {
  const url = `http://localhost/trpc/${path}`;
  const asked =
    type === 'query' && input !== undefined ? `?input=${encodeURIComponent(JSON.stringify(input))}` : '';
  const request =
    type === 'mutation'
      ? new Request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input ?? {}),
        })
      : new Request(url + asked);
  const response = await answerTrpc(request, context);
  const raw = await response.text();
  const body = JSON.parse(raw) as {
    result?: { data: unknown };
    error?: { data: { appError: WireAppError } };
  };
  return {
    status: response.status,
    data: body.result?.data,
    error: body.error ? { ...body.error.data.appError, raw } : null,
  };
}

describe('every procedure', () => {
  it('declares its least role', () => {
    expect(procedures.length).toBeGreaterThan(40);
    expect(procedures.filter(({ role }) => role === undefined)).toEqual([]);
  });

  it('is open to strangers only where signing in needs it', () => {
    const open = procedures.filter(({ role }) => role === 'anonymous').map(({ path }) => path);
    expect(open.sort()).toEqual([
      ...['session.login', 'session.secondFactor', 'session.setup', 'session.state'],
    ]);
  });

  it('that erases, starts or stops something needs an operator, and accounts an administrator', () => {
    const weak = procedures.filter(
      ({ path, type, role }) =>
        type === 'mutation' &&
        !/^(session|secondFactor)\./.test(path) &&
        role !== 'operator' &&
        role !== 'admin',
    );
    expect(weak).toEqual([]);
    for (const { path, role } of procedures)
      if (/^(users|apiKeys|notifications|audit)\./.test(path)) expect([path, role]).toEqual([path, 'admin']);
  });

  const cases = procedures
    .filter(({ type }) => type !== 'subscription')
    .flatMap(({ path, type, role }) =>
      [null, ...ROLES].map((asking) => ({ path, type, needed: role ?? 'admin', asking })),
    );
  const allowed = (asking: Role | null, needed: Role | 'anonymous'): boolean =>
    needed === 'anonymous' || (asking !== null && roleAllows(asking, needed));

  it.each(cases)('$path answers $asking by its role ($needed)', async ({ path, type, needed, asking }) => {
    const context = contextOf(bench.services, asking && actorOf(asking));
    const { error } = await call(path, type, undefined, context);
    const refusal = error?.code === 'unauthenticated' || error?.code === 'forbidden' ? error.code : null;
    if (allowed(asking, needed)) {
      // Input that is missing, or a service that this test does not have: either way, past the door. Changing a
      // password is for people in the database, which these are not.
      if (path !== 'session.changePassword' && path !== 'session.confirm') expect(refusal).toBeNull();
    } else expect(refusal).toBe(asking === null ? 'unauthenticated' : 'forbidden');
  });

  it.each(procedures.filter(({ type }) => type === 'subscription'))(
    '$path tells a stranger to sign in',
    async ({ path }) => {
      const caller = appRouter.createCaller(contextOf(bench.services, null));
      const subscribe = path
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], caller);
      const started = (subscribe as (input: unknown) => Promise<unknown>)({ id: 'x', lastEventId: null });
      await expect(started).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    },
  );
});

describe('an error over tRPC', () => {
  const admin = () => contextOf(bench.services, actorOf('admin'));
  const withDrives = (list: () => never): RequestContext => ({
    ...admin(),
    services: { ...bench.services, drives: { list } as unknown as typeof bench.services.drives },
  });

  it('names each unknown field', async () => {
    const { status, error } = await call(
      'apiKeys.create',
      'mutation',
      { name: 'x', role: 'admin', colour: 1 },
      admin(),
    );
    expect(status).toBe(400);
    expect(error).toMatchObject({
      code: 'unknown_field',
      issues: [{ code: 'unknown_field', field: 'colour' }],
    });
  });

  it('lists all fields that are wrong, with their paths', async () => {
    const { error } = await call(
      'users.create',
      'mutation',
      { username: 3, role: 'king', extra: 1 },
      admin(),
    );
    expect(error?.code).toBe('invalid_input');
    expect(error?.issues.map(({ field }) => field).sort()).toEqual(['extra', 'password', 'role', 'username']);
  });

  it('carries code, message, remedy and details of what a service says, with its status', async () => {
    const context = withDrives(() => {
      throw new AppError('drive_in_use', 'sda1 is mounted at /mnt/x.', { details: { path: '/mnt/x' } });
    });
    const { status, error } = await call('drives.list', 'query', undefined, context);
    expect(status).toBe(409);
    expect(error).toMatchObject({
      code: 'drive_in_use',
      message: 'sda1 is mounted at /mnt/x.',
      remedy: 'Free the drive, or choose another one.',
      details: { path: '/mnt/x' },
      issues: [],
    });
  });

  it('carries every issue when several things are wrong', async () => {
    const context = withDrives(() => {
      throw issuesError([
        issue('label_empty', 'No label.', 'label'),
        issue('no_drives', 'No drives.', 'drives'),
      ]);
    });
    const { status, error } = await call('drives.list', 'query', undefined, context);
    expect([status, error?.code, error?.issues.map(({ code }) => code)]).toEqual([
      400,
      'invalid_input',
      ['label_empty', 'no_drives'],
    ]);
  });

  it('shows a reference instead of the inside of a mistake of ours', async () => {
    const logged: Record<string, unknown>[] = [];
    const context = withDrives(() => {
      throw new TypeError('secret path /root/x');
    });
    context.services = {
      ...context.services,
      log: {
        ...bench.services.log,
        error: (entry: Record<string, unknown>) => void logged.push(entry),
      } as never,
    };
    const { status, error } = await call('drives.list', 'query', undefined, context);
    expect([status, error?.code]).toEqual([500, 'bug']);
    expect(error?.raw).not.toMatch(/secret|stack|\.ts|node_modules/);
    const reference = error?.details['reference'];
    expect(error?.message).toContain(String(reference));
    expect(logged).toEqual([expect.objectContaining({ reference, error: expect.any(TypeError) as unknown })]);
  });

  it.each([
    ['a procedure that is not there', 'GET', 'pools.nonsense', null, 404, 'not_found'],
    ['a query sent as a mutation', 'POST', 'session.state', '{}', 405, 'method_not_allowed'],
    ['a body that is not JSON', 'POST', 'session.login', '{"a":', 400, 'malformed_json'],
  ])('has a code for %s', async (_title, method, path, body, status, code) => {
    const request = new Request(`http://localhost/trpc/${path}`, {
      method,
      ...(body === null ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const response = await answerTrpc(request, contextOf(bench.services, null));
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.data.appError.code]).toEqual([status, code]);
    expect(text).not.toContain('node_modules');
  });

  it('has a code for a body of another type', async () => {
    const request = new Request('http://localhost/trpc/session.login', {
      method: 'POST',
      body: 'username=x',
      headers: { 'content-type': 'text/plain' },
    });
    const response = await answerTrpc(request, contextOf(bench.services, null));
    const body = (await response.json()) as { error: { data: { appError: WireAppError } } };
    expect([response.status, body.error.data.appError.code]).toEqual([415, 'unsupported_media_type']);
  });
});

describe('signing in over tRPC', () => {
  it('sets the cookie on HTTP, and says that a socket cannot', async () => {
    const set: string[] = [];
    const cookie = { set: (token: string) => void set.push(token), clear: () => void set.push('') };
    const code = bench.services.auth.renewSetupCode();
    const input = { code, username: 'admin', password: PASSWORD };
    const onSocket = await call('session.setup', 'mutation', input, contextOf(bench.services, null, null));
    expect(onSocket.error).toMatchObject({ code: 'invalid_input' });
    const { data } = await call('session.setup', 'mutation', input, contextOf(bench.services, null, cookie));
    expect(data).toMatchObject({ actor: { name: 'admin', role: 'admin' } });
    expect(set).toHaveLength(1);
    const actor = await bench.services.auth.identify({ token: set[0] ?? '', apiKey: null });
    await call('session.logout', 'mutation', undefined, contextOf(bench.services, actor, cookie));
    expect(set.at(-1)).toBe('');
    expect(await bench.services.auth.identify({ token: set[0] ?? '', apiKey: null })).toBeNull();
  });
});
