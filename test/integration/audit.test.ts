/** Who did what: what is in the log, what is never in it, and that nobody can change it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAudit } from '$lib/server/audit/audit';
import type { NewAuditRow } from '$lib/server/audit/store';
import { createRepeats } from '$lib/server/audit/repeats';
import { AppError } from '$lib/server/errors';
import { csvLine } from '$lib/server/rest/audit';
import { appRouter } from '$lib/server/trpc/app-router';
import type { AuditEntry } from '$lib/shared/wire/audit';
import {
  actorOf,
  contextOf,
  createServiceBench,
  FROM,
  PASSWORD,
  setUpAdmin,
  type ServiceBench,
} from '../support/services';

let bench: ServiceBench;
beforeEach(() => {
  bench = createServiceBench();
});
afterEach(() => bench.close());

const entries = (filter = {}): AuditEntry[] => bench.services.audit.page({ limit: 200, ...filter }).items;
const newest = (): AuditEntry | undefined => entries()[0];
const cookie = { set: () => undefined, clear: () => undefined };
const callerOf = (role: 'viewer' | 'admin' | null) =>
  appRouter.createCaller(contextOf(bench.services, role && actorOf(role), cookie));
const call = { actor: actorOf('operator'), ...FROM, what: 'pools.create', input: { label: 'tank' } };

describe('the audit log', () => {
  it('tells who changed what, from where, and how it ended', async () => {
    await callerOf('admin').users.create({ username: 'ann', password: PASSWORD, role: 'viewer' });
    expect(newest()).toMatchObject({
      ...{ kind: 'change', actorName: 'admin', address: '192.0.2.7', userAgent: 'a test' },
      ...{ what: 'users.create', outcome: 'done', code: null },
      input: { role: 'viewer', password: '(not kept)' },
    });
  });

  it('tells people who signed in to their account, and who tried to, and nobody else', async () => {
    const { actor } = await setUpAdmin(bench.services);
    const stranger = callerOf(null);
    await expect(stranger.session.login({ username: 'ADMIN', password: 'guessed words' })).rejects.toThrow();
    await expect(stranger.session.login({ username: 'ann', password: 'guessed words' })).rejects.toThrow();
    await stranger.session.login({ username: 'admin', password: PASSWORD });
    const own = appRouter.createCaller(contextOf(bench.services, actor, cookie));
    const seen = await own.session.history();
    expect(seen.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['done', 'denied']));
    expect(seen).toContainEqual(expect.objectContaining({ outcome: 'denied', address: '192.0.2.7' }));
    expect(seen).toHaveLength(
      entries({ kind: 'sign-in' }).filter(({ actorName }) => actorName !== '(no such user)').length,
    );
    expect(await callerOf('viewer').session.history()).toEqual([]);
  });

  it('has the entry on disk before the act begins', async () => {
    await bench.services.audit.act(call, () => {
      expect(newest()).toMatchObject({ what: 'pools.create', outcome: 'begun', endedAt: null });
      return Promise.resolve();
    });
    expect(newest()?.outcome).toBe('done');
  });

  it('begins nothing that cannot be written down', async () => {
    bench.db.$client.exec(
      'CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 1); END',
    );
    let begun = false;
    const act = bench.services.audit.act(call, () => Promise.resolve((begun = true)));
    await expect(act).rejects.toThrow();
    expect(begun).toBe(false);
  });

  it('says after a crash that a call was interrupted', () => {
    void bench.services.audit.act(call, () => new Promise(() => undefined));
    const { clock, log, config, bus } = bench.services;
    createAudit({ db: bench.db, bus, clock, log, config }).stop();
    expect(newest()).toMatchObject({ what: 'pools.create', outcome: 'interrupted' });
  });

  it('names the operation that a call began', async () => {
    await bench.services.audit.act(call, () => {
      bench.services.bus.emit('operation.changed', { id: 'op-1' });
      return Promise.resolve();
    });
    expect(newest()?.operationId).toBe('op-1');
  });

  it('tells refused from failed from denied', async () => {
    const ended = async (error: Error) => {
      await bench.services.audit.act(call, () => Promise.reject(error)).catch(() => undefined);
      return [newest()?.outcome, newest()?.code];
    };
    expect(await ended(new AppError('locked'))).toEqual(['refused', 'locked']);
    expect(await ended(new AppError('command_failed'))).toEqual(['failed', 'command_failed']);
    expect(await ended(new Error('boom'))).toEqual(['failed', 'bug']);
    expect(await ended(new AppError('forbidden'))).toEqual(['denied', 'forbidden']);
  });

  it('has every denied call, of strangers too', async () => {
    await expect(callerOf('viewer').users.list()).rejects.toThrow();
    expect(newest()).toMatchObject({
      kind: 'denied',
      actorName: 'viewer',
      what: 'users.list',
      code: 'forbidden',
    });
    await expect(callerOf(null).pools.list()).rejects.toThrow();
    expect(newest()).toMatchObject({ actorKind: 'nobody', what: 'pools.list', code: 'unauthenticated' });
  });

  it('has who signed in and who failed to, without a name that is nobody’s', async () => {
    await setUpAdmin(bench.services);
    expect(newest()).toMatchObject({ kind: 'sign-in', actorName: 'admin', outcome: 'done' });
    const { auth } = bench.services;
    await expect(auth.login({ username: 'admin', password: 'no', from: FROM })).rejects.toThrow();
    expect(newest()).toMatchObject({
      kind: 'sign-in',
      actorName: 'admin',
      outcome: 'denied',
      code: 'bad_credentials',
    });
    await expect(auth.login({ username: 'hunter2hunter2', password: 'no', from: FROM })).rejects.toThrow();
    expect(newest()?.actorName).toBe('(no such user)');
  });

  it('asks for nothing that only shows a plan', async () => {
    await callerOf('admin')
      .pools.previewRemove({ guid: 'x' })
      .catch(() => undefined);
    await callerOf('admin')
      .vms.previewExport({ vmId: 'x' } as never)
      .catch(() => undefined);
    expect(entries()).toEqual([]);
  });
});

describe('a secret', () => {
  const SECRETS = ['correct horse battery', 'tok-8d2f71', 'cairn_AAAAAAAAAAAAAAAAAAAAAAAA', 'hunter2hunter2'];
  it('is never in the log, wherever it was sent', async () => {
    const [password, token, key, other] = SECRETS as [string, string, string, string];
    const planted = {
      password,
      current: password,
      next: other,
      code: token,
      totp: token,
      apiKey: key,
      name: key,
      sshKeys: [token],
      userData: `#cloud-config\npassword: ${password}`,
      description: token,
      url: `https://ann:${password}@files.example/x?token=${token}`,
      webhookUrl: `https://chat.example/${token}`,
      cloudInit: { user: 'ann', password, hashedPassword: other, keys: [{ key }] },
      headers: { authorization: `Bearer ${token}` },
      label: `Bearer ${token}`,
      deep: { a: { b: { c: { d: { e: { f: { id: token } } } } } } },
      list: [[token], { note: other }],
    };
    await bench.services.audit.act({ ...call, input: planted }, () => Promise.resolve());
    await callerOf('admin').users.create({ username: 'ann', password, role: 'viewer' });
    await callerOf('admin')
      .session.changePassword({ current: password, next: other })
      .catch(() => undefined);
    await callerOf(null)
      .session.login({ username: password, password: other })
      .catch(() => undefined);
    await callerOf('admin')
      .notifications.create({ channel: planted } as never)
      .catch(() => undefined);
    const stored = JSON.stringify(bench.db.$client.prepare('SELECT * FROM audit_entries').all());
    for (const secret of SECRETS) expect(stored).not.toContain(secret);
    expect(entries().length).toBeGreaterThan(4);
  });
});

describe('what is written', () => {
  const some = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await bench.services.audit.act(call, () => Promise.resolve());
  };
  it('cannot be changed or taken out of the middle', async () => {
    await some(3);
    const { $client } = bench.db;
    expect(() => $client.exec("UPDATE audit_entries SET outcome = 'failed'")).toThrow(/not changed/);
    expect(() => $client.exec('DELETE FROM audit_entries WHERE id = 2')).toThrow(/only the oldest/);
    expect(entries()).toHaveLength(3);
  });

  it('goes from its old end, by number and by age', async () => {
    const { clock, log, bus } = bench.services;
    await some(5);
    const few = createAudit({ db: bench.db, bus, clock, log, config: { keepAudit: 3, keepAuditDays: 10 } });
    few.cleanUp();
    expect(entries().map(({ id }) => id)).toEqual([5, 4, 3]);
    bench.advance(11 * 86_400_000);
    await some(1);
    few.cleanUp();
    expect(entries().map(({ id }) => id)).toEqual([6]);
    few.stop();
  });

  it('is found by who, what, outcome and time, a page at a time', async () => {
    await some(3);
    bench.advance(60_000);
    await callerOf('admin').users.create({ username: 'ann', password: PASSWORD, role: 'viewer' });
    expect(entries({ who: 'oper' })).toHaveLength(3);
    expect(entries({ who: '192.0.2' })).toHaveLength(4);
    expect(entries({ what: 'users.' })).toHaveLength(1);
    expect(entries({ what: '%' })).toHaveLength(0);
    expect(entries({ outcome: 'failed' })).toHaveLength(0);
    expect(entries({ from: bench.services.clock.now() - 1_000 })).toHaveLength(1);
    const first = bench.services.audit.page({ limit: 3 });
    const rest = bench.services.audit.page({ limit: 3, before: first.nextBefore });
    expect([first.items.length, rest.items.length, rest.nextBefore]).toEqual([3, 1, null]);
    expect([...bench.services.audit.all({ kind: 'change' })]).toHaveLength(4);
  });

  it('counts what is denied again and again instead of writing it', () => {
    const written: { what: string; times: number }[] = [];
    const repeats = createRepeats(({ what, times = 1 }) => written.push({ what, times }));
    const row: NewAuditRow = {
      ...{ kind: 'denied', at: 1, actorKind: 'nobody', actorName: '', address: 'a', userAgent: '' },
      ...{ what: 'x', outcome: 'denied' },
    };
    for (let i = 0; i < 50; i++) repeats.add(row);
    for (let i = 0; i < 500; i++) repeats.add({ ...row, what: `y${i}` });
    expect(written).toHaveLength(120);
    repeats.stop();
    expect(written.slice(120)).toEqual([
      { what: 'x', times: 49 },
      { what: '(various)', times: 381 },
    ]);
  });
});

it('writes a cell that looks like a formula as text', async () => {
  await bench.services.audit.act({ ...call, what: '=cmd()', input: { name: 'a,"b"' } }, () =>
    Promise.resolve(),
  );
  const entry = newest();
  if (!entry) throw new Error('no entry');
  expect(csvLine(entry)).toContain(`,"'=cmd()",done,`);
  expect(csvLine(entry)).toContain(`"{""name"":""a,\\""b\\""""}"`);
});
