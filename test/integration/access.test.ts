/** Second factor, fresh passwords, scopes of keys, and what a key may only propose. */
import { readdirSync } from 'node:fs';
import { Secret, TOTP } from 'otpauth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { areaOf, authorise } from '$lib/server/auth/authorise';
import { AppError } from '$lib/server/errors';
import type { Operations } from '$lib/server/operations/types';
import { createProposals } from '$lib/server/proposals/proposals';
import { appRouter } from '$lib/server/trpc/app-router';
import type { Scope } from '$lib/shared/scopes';
import type { Actor } from '$lib/shared/wire/session';
import {
  contextOf,
  createServiceBench,
  FROM,
  PASSWORD,
  setUpAdmin,
  type ServiceBench,
} from '../support/services';

let bench: ServiceBench;
let admin: { token: string; actor: Actor };
const auth = () => bench.services.auth;
beforeEach(async () => {
  bench = createServiceBench();
  admin = await setUpAdmin(bench.services);
});
afterEach(() => bench.close());
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'nothing thrown';
};

describe('a second factor', () => {
  let secret: string;
  let recoveryCodes: string[];
  const codeNow = (): string =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: bench.services.clock.now() });
  const passwordStep = async (): Promise<string> => {
    const signed = await auth().login({ username: 'admin', password: PASSWORD, from: FROM });
    if (!('ticket' in signed)) throw new Error('no second step');
    return signed.ticket;
  };
  const second = (ticket: string, code: string) => auth().secondStep({ ticket, code, from: FROM });
  beforeEach(async () => {
    const { secondFactors } = auth();
    secret = secondFactors.offer(admin.actor.id, 'admin').secret;
    recoveryCodes = await secondFactors.enable(admin.actor.id, codeNow());
    bench.advance(30_000);
  });

  it('is asked for after the password, and opens with the code of now', async () => {
    const { actor } = await second(await passwordStep(), codeNow());
    expect(actor).toMatchObject({ name: 'admin' });
  });
  it('takes no code twice, nor one from before the last', async () => {
    const [before, code] = [codeNow(), codeNow()];
    await second(await passwordStep(), code);
    const ticket = await passwordStep();
    expect(await codeOf(() => second(ticket, before))).toBe('second_factor_wrong');
    bench.advance(30_000);
    await second(ticket, codeNow());
  });
  it('takes a recovery code once, however it is typed', async () => {
    const [code = ''] = recoveryCodes;
    expect(recoveryCodes).toHaveLength(10);
    await second(await passwordStep(), ` ${code.toUpperCase().replaceAll('-', ' ')} `);
    const ticket = await passwordStep();
    expect(await codeOf(() => second(ticket, code))).toBe('second_factor_wrong');
    expect(auth().secondFactors.of(admin.actor.id).recoveryCodesLeft).toBe(9);
  });
  it('slows guessing down, and forgets a ticket after minutes', async () => {
    const ticket = await passwordStep();
    for (let i = 0; i < 5; i++) await codeOf(() => second(ticket, '000000'));
    expect(await codeOf(() => second(ticket, '000000'))).toBe('throttled');
    bench.advance(6 * 60_000);
    expect(await codeOf(() => second(ticket, codeNow()))).toBe('second_factor_expired');
    expect(await codeOf(() => second('made-up', codeNow()))).toBe('second_factor_expired');
  });
  it('leaves neither its secret nor a recovery code in the database', () => {
    const tables = ['user_totp', 'recovery_codes', 'audit_entries'];
    const all = JSON.stringify(
      tables.map((table) => bench.db.$client.prepare(`SELECT * FROM ${table}`).all()),
    );
    for (const text of [secret, ...recoveryCodes]) expect(all).not.toContain(text);
    expect(readdirSync(bench.services.config.totpSecretsDir)).toHaveLength(1);
  });
  it('goes when an administrator or root takes it away, with its file', async () => {
    auth().resetSecondFactor(admin.actor.id);
    expect(readdirSync(bench.services.config.totpSecretsDir)).toEqual([]);
    expect(await auth().login({ username: 'admin', password: PASSWORD, from: FROM })).toHaveProperty('token');
  });
  it('is not on before a code was right', async () => {
    const ann = await auth().createUser({ username: 'ann', password: PASSWORD, role: 'viewer' });
    auth().secondFactors.offer(ann.id, 'ann');
    expect(await codeOf(() => auth().secondFactors.enable(ann.id, '123'))).toBe('second_factor_wrong');
    expect(auth().secondFactors.of(ann.id).enabled).toBe(false);
  });
  it('is shown to be scanned as a picture that was made here', () => {
    const { svg, uri } = auth().secondFactors.offer(admin.actor.id, 'admin');
    expect(svg).toMatch(/^<svg /);
    expect(svg).not.toMatch(/https?:\/\/(?!www\.w3\.org)|<script/);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Cairn/);
  });
});

describe('a fresh password', () => {
  it('is asked for again after a quarter of an hour, and counts when it is given', async () => {
    auth().requireFresh(admin.actor);
    bench.advance(16 * 60_000);
    expect(await codeOf(() => auth().requireFresh(admin.actor))).toBe('reauth_required');
    const caller = appRouter.createCaller(contextOf(bench.services, admin.actor));
    const wish = { name: 'k', role: 'viewer' as const };
    await expect(caller.apiKeys.create(wish)).rejects.toMatchObject({ cause: { code: 'reauth_required' } });
    expect(await codeOf(() => auth().confirm(admin.actor, 'wrong'))).toBe('bad_credentials');
    await auth().confirm(admin.actor, PASSWORD);
    await caller.apiKeys.create(wish);
  });
  it('is not asked of keys, which have their scopes', () => {
    bench.advance(3_600_000);
    auth().requireFresh({ kind: 'api-key', id: 'k', name: 'k', role: 'admin', sessionId: null });
  });
});

describe('a session', () => {
  it('shows when and from where it was last seen, and all others end at once', async () => {
    const other = await auth().login({ username: 'admin', password: PASSWORD, from: FROM });
    if ('ticket' in other) throw new Error('no second factor here');
    bench.advance(120_000);
    await auth().identify({ token: other.token, apiKey: null, address: '192.0.2.99' });
    const seen = auth()
      .listSessions(admin.actor)
      .find(({ current }) => !current);
    expect(seen).toMatchObject({ lastAddress: '192.0.2.99', createdAt: expect.any(Number) as number });
    expect(seen?.lastSeenAt).toBeGreaterThan((seen?.createdAt ?? 0) + 60_000);
    auth().revokeOthers(admin.actor);
    expect(auth().listSessions(admin.actor)).toHaveLength(1);
  });
});

describe('a key', () => {
  const keyOf = (scopes: Scope[] | null): Actor => ({
    ...{ kind: 'api-key', id: 'k', name: 'k', role: 'admin', sessionId: null, scopes },
  });
  const asks = (scopes: Scope[] | null, name: string, kind: 'looks' | 'plans' | 'acts'): string => {
    try {
      authorise('viewer', keyOf(scopes), name, kind);
      return 'may';
    } catch (error) {
      return (error as AppError).code;
    }
  };
  it.each([
    [null, 'pools.remove', 'acts', 'may'],
    [['read'], 'pools.list', 'looks', 'may'],
    [['read'], 'audit.page', 'looks', 'scope_missing'],
    [['read'], 'pools.remove', 'acts', 'scope_missing'],
    [['storage'], 'pools.remove', 'acts', 'may'],
    [['storage'], '/api/v1/pools/[guid]', 'acts', 'may'],
    [['storage'], 'vms.list', 'looks', 'scope_missing'],
    [['machines'], '/api/v1/pools/[guid]', 'acts', 'scope_missing'],
    [['metrics'], 'feed.onChange', 'looks', 'scope_missing'],
    [['plan'], 'pools.previewRemove', 'plans', 'may'],
    [['plan'], 'pools.remove', 'acts', 'plan_only'],
    [['plan', 'storage'], 'pools.remove', 'acts', 'plan_only'],
    [['plan'], 'proposals.propose', 'acts', 'may'],
    [['plan'], '/api/v1/proposals', 'acts', 'may'],
    [['plan'], 'proposals.approve', 'acts', 'plan_only'],
    [['plan'], '/api/v1/proposals/[id]/approve', 'acts', 'plan_only'],
    [['storage'], 'proposals.approve', 'acts', 'scope_missing'],
    [['storage'], 'unheard.of', 'acts', 'scope_missing'],
  ] as const)('with %j asking for %s (%s): %s', (scopes, name, kind, answer) => {
    expect(asks(scopes && [...scopes], name, kind)).toBe(answer);
  });
  it('finds every procedure in an area', () => {
    const routers = Object.keys(appRouter._def.procedures).map((path) => path.split('.')[0] ?? '');
    expect([...new Set(routers)].filter((name) => areaOf(name) === undefined)).toEqual([]);
  });
  it('stops at its end, and says when and from where it was used', async () => {
    const expiresAt = bench.services.clock.now() + 60_000;
    const { key } = auth().apiKeys.create({ name: 'k', role: 'viewer', scopes: ['read'], expiresAt });
    const asked = { token: null, apiKey: key, address: '192.0.2.4' };
    expect(await auth().identify(asked)).toMatchObject({ scopes: ['read'] });
    expect(auth().apiKeys.list()[0]).toMatchObject({ lastAddress: '192.0.2.4', expiresAt });
    bench.advance(60_000);
    expect(await auth().identify(asked)).toBeNull();
    const late = { name: 'late', role: 'viewer', expiresAt: 1 } as const;
    expect(await codeOf(() => auth().apiKeys.create(late))).toBe('invalid_input');
  });
  it('of some scopes makes no key that may do more', async () => {
    const caller = appRouter.createCaller(contextOf(bench.services, keyOf(['access'])));
    const wish = { name: 'more', role: 'admin' as const };
    await expect(caller.apiKeys.create(wish)).rejects.toMatchObject({ cause: { code: 'scope_missing' } });
  });
});

describe('a proposal', () => {
  const key: Actor = {
    ...{ kind: 'api-key', id: 'k', name: 'planner', role: 'operator', sessionId: null },
    scopes: ['plan', 'storage'],
  };
  const made = () => {
    const started: unknown[] = [];
    const operations = {
      isDefined: (kind: string) =>
        ['pool.scrub', 'vm.start', 'plugin.install', 'update.apply'].includes(kind),
      preview: (kind: string) =>
        kind === 'pool.scrub'
          ? Promise.resolve({ title: 'Scrub tank' })
          : Promise.reject(new AppError('not_found')),
      start: (options: unknown) => {
        started.push(options);
        return Promise.resolve({ id: 'op-1' });
      },
    } as unknown as Operations;
    const { bus, clock } = bench.services;
    return { started, proposals: createProposals({ db: bench.db, bus, clock, operations }) };
  };
  it.each(['plugin.install', 'update.apply', 'certificate.replace', 'pool.nothing', '__proto__', ''])(
    'is none of what has a way and rights of its own, or is no operation: %j',
    async (kind) => {
      const { proposals } = made();
      const person: Actor = { ...key, kind: 'user', name: 'olga', scopes: null };
      expect(await codeOf(() => proposals.propose(person, { ...wish, kind }))).toBe('not_found');
      expect(proposals.list()).toEqual([]);
    },
  );
  const wish = { kind: 'pool.scrub', request: { poolGroupGuid: 'g' }, note: 'monthly' };

  it('begins when a person approves it, once', async () => {
    const { started, proposals } = made();
    const { id } = await proposals.propose(key, wish);
    expect(proposals.list()).toMatchObject([
      { title: 'Scrub tank', proposedBy: 'planner', state: 'waiting' },
    ]);
    expect(started).toEqual([]);
    const both = await Promise.allSettled([
      proposals.approve(id, admin.actor, null),
      proposals.approve(id, admin.actor, null),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(started).toMatchObject([{ kind: 'pool.scrub', request: wish.request, actor: { name: 'admin' } }]);
    expect(proposals.list()).toMatchObject([{ state: 'approved', decidedBy: 'admin', operationId: 'op-1' }]);
  });
  it('is never begun when it is rejected', async () => {
    const { started, proposals } = made();
    const { id } = await proposals.propose(key, wish);
    proposals.reject(id, admin.actor);
    expect(await codeOf(() => proposals.approve(id, admin.actor, null))).toBe('proposal_decided');
    expect(started).toEqual([]);
  });
  it('is refused where no plan can be made, and outside the areas of the key', async () => {
    const { proposals } = made();
    expect(await codeOf(() => proposals.propose(key, { ...wish, kind: 'pool.unheard' }))).toBe('not_found');
    expect(await codeOf(() => proposals.propose(key, { ...wish, kind: 'vm.start' }))).toBe('scope_missing');
    expect(proposals.list()).toEqual([]);
  });
});
