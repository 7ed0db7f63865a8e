import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '$lib/server/errors';
import { createServiceBench, FROM, PASSWORD, setUpAdmin, type ServiceBench } from '../support/services';

let bench: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
});
afterEach(() => bench.close());

const auth = () => bench.services.auth;
const failure = async (work: () => unknown): Promise<AppError> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was allowed');
};
async function login(username: string, password: string, address = FROM.address) {
  const signed = await auth().login({ username, password, from: { ...FROM, address } });
  if ('ticket' in signed) throw new Error('a second factor is asked for');
  return signed;
}
/** Every text in the database, to look for secrets in it. */
const everything = (): string =>
  ['users', 'sessions', 'api_keys', 'meta', 'login_throttle']
    .flatMap((table) => bench.db.$client.prepare(`SELECT * FROM ${table}`).all())
    .map((row) => JSON.stringify(row))
    .join('\n');

describe('the first run', () => {
  it('makes an administrator with the code from the console, once', async () => {
    expect(auth().setupNeeded()).toBe(true);
    const { actor } = await setUpAdmin(bench.services);
    expect(actor).toMatchObject({ name: 'admin', role: 'admin' });
    expect(auth().setupNeeded()).toBe(false);
    expect(auth().renewSetupCode()).toBeNull();
    const again = await failure(() =>
      auth().setup({ code: 'XXXX-XXXX-XXXX', username: 'other', password: PASSWORD, from: FROM }),
    );
    expect(again.code).toBe('setup_done');
  });

  it('takes the code in any case, with or without its dashes', async () => {
    const code = auth().renewSetupCode() ?? '';
    expect(code).toMatch(/^[A-HJKMNP-TW-Z2-9]{4}(-[A-HJKMNP-TW-Z2-9]{4}){2}$/);
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')} `;
    await auth().setup({ code: typed, username: 'admin', password: PASSWORD, from: FROM });
    expect(auth().setupNeeded()).toBe(false);
  });

  it('refuses the code of an earlier start', async () => {
    const old = auth().renewSetupCode() ?? '';
    auth().renewSetupCode();
    const error = await failure(() =>
      auth().setup({ code: old, username: 'admin', password: PASSWORD, from: FROM }),
    );
    expect(error.code).toBe('setup_code_wrong');
    expect(auth().setupNeeded()).toBe(true);
  });

  it('refuses a code of yesterday, and says how to get another one', async () => {
    const old = auth().renewSetupCode() ?? '';
    bench.advance(24 * 3_600_000);
    const ask = (code: string) => auth().setup({ code, username: 'admin', password: PASSWORD, from: FROM });
    expect(await failure(() => ask(old))).toMatchObject({ code: 'setup_code_expired' });
    await ask(auth().renewSetupCode() ?? '');
    expect(auth().setupNeeded()).toBe(false);
  });

  it('slows down whoever guesses the code, whatever address the guesses come from', async () => {
    auth().renewSetupCode();
    const guess = (n: number) =>
      failure(() =>
        auth().setup({
          code: `guess-${n}`,
          username: 'admin',
          password: PASSWORD,
          from: { ...FROM, address: `198.51.100.${n}` },
        }),
      );
    const codes = [];
    for (let n = 0; n < 6; n += 1) codes.push((await guess(n)).code);
    expect(codes).toEqual([...Array<string>(5).fill('setup_code_wrong'), 'throttled']);
  });

  it('names everything that is wrong with the new account at once, and keeps the code', async () => {
    const code = auth().renewSetupCode() ?? '';
    const error = await failure(() =>
      auth().setup({ code, username: 'Bad Name', password: 'short', from: FROM }),
    );
    expect(error.issues.map(({ field, code: problem }) => [field, problem])).toEqual([
      ['username', 'username_invalid'],
      ['password', 'password_weak'],
    ]);
    await auth().setup({ code, username: 'admin', password: PASSWORD, from: FROM });
  });

  it('lets only one of two simultaneous set-ups win', async () => {
    const code = auth().renewSetupCode() ?? '';
    const results = await Promise.allSettled(
      ['one', 'two'].map((username) => auth().setup({ code, username, password: PASSWORD, from: FROM })),
    );
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(auth().users.list()).toHaveLength(1);
  });
});

describe('signing in', () => {
  beforeEach(() => setUpAdmin(bench.services));

  it('says the same for an unknown user and a wrong password', async () => {
    const wrong = await failure(() => login('admin', 'not the password'));
    const unknown = await failure(() => login('nobody', 'not the password'));
    expect([wrong.code, wrong.message]).toEqual([unknown.code, unknown.message]);
    expect(wrong.code).toBe('bad_credentials');
  });

  it('works as long for an unknown user as for a known one', async () => {
    // Processor time, of all threads: a clock would measure what else the machine does.
    const time = async (username: string, n: number): Promise<number> => {
      const begun = process.cpuUsage();
      await failure(() => login(username, 'not the password', `203.0.113.${n}`));
      const { user, system } = process.cpuUsage(begun);
      return user + system;
    };
    const median = (values: number[]): number =>
      values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const known = [];
    const unknown = [];
    for (let n = 0; n < 4; n += 1) {
      known.push(await time('admin', n));
      unknown.push(await time(`nobody-${n}`, 100 + n));
    }
    expect(median(unknown)).toBeGreaterThan(median(known) * 0.4);
  });

  it('slows down guessing at one account, says for how long, and lets the owner in afterwards', async () => {
    for (let n = 0; n < 5; n += 1) await failure(() => login('admin', `guess ${n}`, `203.0.113.${n}`));
    const error = await failure(() => login('admin', PASSWORD));
    expect(error.code).toBe('throttled');
    expect(error.message).toMatch(/Try again in 1 s\./);
    expect(error.details).toEqual({ retryAfterSeconds: 1 });
    bench.advance(1_001);
    await login('admin', PASSWORD);
    await failure(() => login('admin', 'a typing error'));
    await login('admin', PASSWORD);
  });

  it('makes each further failure wait twice as long, never more than five minutes', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const error = await failure(() => login('admin', `guess ${n}`, `203.0.113.${n}`));
      if (error.code !== 'throttled') continue;
      const seconds = Number(error.details['retryAfterSeconds']);
      waits.push(seconds);
      bench.advance(seconds * 1_000 + 1);
    }
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(300);
  });

  it('slows down one address that tries many accounts', async () => {
    const codes = [];
    for (let n = 0; n < 12; n += 1) codes.push((await failure(() => login(`user-${n}`, 'guess'))).code);
    expect(codes.slice(0, 11)).not.toContain('throttled');
    expect(codes.at(-1)).toBe('throttled');
  });

  it('counts attempts that run at the same time', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => failure(() => login('admin', `guess ${n}`, `203.0.113.${n}`))),
    );
    expect(results.filter((error) => error.code === 'throttled')).toHaveLength(3);
  });

  it('remembers failures over a restart', async () => {
    for (let n = 0; n < 5; n += 1) await failure(() => login('admin', `guess ${n}`, `203.0.113.${n}`));
    const rows = bench.db.$client
      .prepare("SELECT failures FROM login_throttle WHERE key = 'user:admin'")
      .all();
    expect(rows).toEqual([{ failures: 5 }]);
  });

  it('keeps no password, token, key or code in the database', async () => {
    const { token } = await login('admin', PASSWORD);
    const { key } = auth().apiKeys.create({ name: 'script', role: 'viewer' });
    const text = everything();
    for (const secret of [PASSWORD, token, key, key.slice('cairn_'.length)])
      expect(text).not.toContain(secret);
    expect(text).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  });
});

describe('sessions', () => {
  let token: string;
  beforeEach(async () => {
    ({ token } = await setUpAdmin(bench.services));
  });
  const identify = (given: string | null) => auth().identify({ token: given, apiKey: null });

  it('are known by their token and by nothing else', async () => {
    const actor = await identify(token);
    expect(actor).toMatchObject({ kind: 'user', name: 'admin' });
    for (const other of [null, '', 'nonsense', actor?.sessionId ?? ''])
      expect(await identify(other)).toBeNull();
  });

  it('end thirty days after their last use', async () => {
    const row = () =>
      bench.db.$client.prepare('SELECT expires_at AS at FROM sessions').get() as { at: number } | undefined;
    const days = ((row()?.at ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(30, 1);
    bench.db.$client.prepare('UPDATE sessions SET expires_at = ?').run(Date.now() + 10 * 86_400_000);
    await identify(token);
    expect(((row()?.at ?? 0) - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
    bench.db.$client.prepare('UPDATE sessions SET expires_at = ?').run(Date.now() - 1);
    expect(await identify(token)).toBeNull();
    expect(row()).toBeUndefined();
  });

  it('tell their sockets when they end, also by the clean-up', async () => {
    const ended: string[] = [];
    bench.services.bus.on('session.revoked', ({ sessionId }) => ended.push(sessionId));
    const first = await identify(token);
    const second = await identify((await login('admin', PASSWORD)).token);
    if (!first?.sessionId || !second?.sessionId) throw new Error('no sessions');
    auth().revokeSession(first.id, first.sessionId);
    bench.advance(31 * 86_400_000);
    auth().cleanUp();
    expect(ended).toEqual([first.sessionId, second.sessionId]);
  });

  it('of somebody else cannot be ended', async () => {
    const other = await auth().createUser({ username: 'ben', password: PASSWORD, role: 'viewer' });
    const actor = await identify(token);
    const error = await failure(() => auth().revokeSession(other.id, actor?.sessionId ?? ''));
    expect(error.code).toBe('not_found');
    expect(await identify(token)).not.toBeNull();
  });

  it('all end when the password changes, and the one that changed it begins anew', async () => {
    const other = (await login('admin', PASSWORD)).token;
    const actor = await identify(token);
    if (!actor) throw new Error('no session');
    const next = await auth().changePassword(actor, {
      current: PASSWORD,
      next: 'quite another phrase',
      from: FROM,
    });
    expect([await identify(token), await identify(other)]).toEqual([null, null]);
    expect(await identify(next.token)).toMatchObject({ name: 'admin' });
    expect((await failure(() => login('admin', PASSWORD))).code).toBe('bad_credentials');
  });

  it('show a changed role at once, and end with their user', async () => {
    const user = await auth().createUser({ username: 'ben', password: PASSWORD, role: 'viewer' });
    const ben = (await login('ben', PASSWORD)).token;
    auth().users.setRole(user.id, 'operator');
    expect(await identify(ben)).toMatchObject({ role: 'operator' });
    auth().removeUser(user.id);
    expect(await identify(ben)).toBeNull();
  });
});

describe('accounts and keys', () => {
  beforeEach(() => setUpAdmin(bench.services));

  it('never lose their last administrator', async () => {
    const [admin] = auth().users.list();
    if (!admin) throw new Error('no account');
    expect((await failure(() => auth().users.setRole(admin.id, 'viewer'))).code).toBe('last_admin');
    expect((await failure(() => auth().removeUser(admin.id))).code).toBe('last_admin');
    await auth().createUser({ username: 'ben', password: PASSWORD, role: 'admin' });
    auth().removeUser(admin.id);
    expect(
      auth()
        .users.list()
        .map((user) => user.username),
    ).toEqual(['ben']);
  });

  it.each(['', 'a', 'Ann', '-ann', '1ann', 'ann smith', 'änn', 'a'.repeat(33), 'ann\n'])(
    'refuse the user name %j',
    async (username) => {
      const error = await failure(() => auth().createUser({ username, password: PASSWORD, role: 'viewer' }));
      expect(error.code).toBe('username_invalid');
    },
  );

  it('refuse a name that is taken and a password that holds it', async () => {
    const taken = await failure(() =>
      auth().createUser({ username: 'admin', password: PASSWORD, role: 'viewer' }),
    );
    expect(taken.code).toBe('username_taken');
    const weak = await failure(() =>
      auth().createUser({ username: 'benjamin', password: 'Benjamin-2026', role: 'viewer' }),
    );
    expect(weak.code).toBe('password_weak');
  });

  it('let a key in with its own role until it is revoked', async () => {
    const { key, view } = auth().apiKeys.create({ name: 'backup', role: 'viewer' });
    const identify = (apiKey: string) => auth().identify({ token: null, apiKey });
    expect(key).toMatch(/^cairn_[\w-]{43}$/);
    expect(await identify(key)).toMatchObject({ kind: 'api-key', name: 'backup', role: 'viewer' });
    expect(auth().apiKeys.list()[0]?.lastUsedAt).not.toBeNull();
    expect(JSON.stringify(auth().apiKeys.list())).not.toContain(key);
    for (const wrong of ['', 'cairn_', `${key}x`, view.id, view.prefix])
      expect(await identify(wrong)).toBeNull();
    auth().apiKeys.revoke(view.id);
    expect(await identify(key)).toBeNull();
  });
});
