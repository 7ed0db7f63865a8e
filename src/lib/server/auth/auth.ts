/** Who may come in: set-up, login, passwords, and the answer to "who asks?" for every request. */
import type { Role } from '$lib/shared/states';
import type { Actor, SessionView, UserView } from '$lib/shared/wire/session';
import type { Audit } from '../audit/audit';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError, issuesError } from '../errors';
import type { Bus } from '../events/bus';
import type { Logger } from '../log';
import { createApiKeys, type ApiKeys } from './api-keys';
import { hashPassword, passwordIssues, verifyPassword } from './passwords';
import { createSessions, type Origin } from './sessions';
import { createSetupCode, SETUP_CODE_KEY } from './setup-code';
import { createAuthStore, type UserRow } from './store';
import { addressOf, createThrottle } from './throttle';
import { createSignInTickets } from './tickets';
import { createSecondFactors, type SecondFactors } from './totp';
import { createUsers, usernameIssues, type Users } from './users';

const normalName = (username: string): string => username.trim().toLowerCase();

interface SignedIn {
  /** For the cookie. */
  token: string;
  actor: Actor;
}
/** The password was right; a code has to follow, within minutes. */
export interface SecondStep {
  ticket: string;
}
export interface Auth {
  users: Users;
  apiKeys: ApiKeys;
  setupNeeded(): boolean;
  /** A new first-run code for the console; null when an account exists. */
  renewSetupCode(): string | null;
  /** The key wins over the cookie: a program that sends one means it. */
  identify(request: {
    token: string | null;
    apiKey: string | null;
    address?: string | null;
  }): Promise<Actor | null>;
  /** @throws AppError setup_done | throttled | setup_code_wrong | setup_code_expired | username_invalid | password_weak */
  setup(request: { code: string; username: string; password: string; from: Origin }): Promise<SignedIn>;
  /** @throws AppError throttled | bad_credentials */
  login(request: { username: string; password: string; from: Origin }): Promise<SignedIn | SecondStep>;
  /** The code of the phone, or a recovery code. @throws AppError throttled | second_factor_wrong | second_factor_expired */
  secondStep(request: { ticket: string; code: string; from: Origin }): Promise<SignedIn>;
  secondFactors: SecondFactors;
  /** Somebody who is signed in says again who they are. @throws AppError forbidden | throttled | bad_credentials */
  confirm(actor: Actor, password: string): Promise<void>;
  /** @throws AppError reauth_required for a person whose password was not given lately; keys have their scopes instead */
  requireFresh(actor: Actor): void;
  /** @throws AppError user_not_found */
  resetSecondFactor(userId: string): void;
  /** @throws AppError forbidden | throttled | bad_credentials | password_weak */
  changePassword(actor: Actor, request: { current: string; next: string; from: Origin }): Promise<SignedIn>;
  /** @throws AppError username_invalid | password_weak | username_taken */
  createUser(request: { username: string; password: string; role: Role }): Promise<UserView>;
  /**
   * For who has forgotten it: root on this host alone may do that. Ends every session of the account, forgets failed attempts and
   * takes the second factor away.
   * @throws AppError user_not_found | password_weak
   */
  resetPassword(username: string, password: string): Promise<UserView>;
  removeUser(id: string): void;
  listSessions(actor: Actor): SessionView[];
  /** @throws AppError not_found, also for a session of somebody else */
  revokeSession(userId: string, sessionId: string): void;
  /** Every session of the actor but this one. */
  revokeOthers(actor: Actor): void;
  /** Cron: expired sessions, old counters. */
  cleanUp(): void;
}

interface AuthParts {
  db: Db;
  bus: Bus;
  clock: Clock;
  log: Logger;
  audit: Pick<Audit, 'signedIn' | 'denied'>;
  config: Pick<Config, 'totpSecretsDir' | 'hostname' | 'reauthMs'>;
}

export function createAuth({ db, bus, clock, log, audit, config }: AuthParts): Auth {
  const store = createAuthStore(db);
  const sessions = createSessions({ store, bus, clock });
  const throttle = createThrottle(store, clock);
  const setupCode = createSetupCode(store, clock);
  const users = createUsers(store, clock);
  const apiKeys = createApiKeys(store, clock);
  const { totpSecretsDir: folder, hostname } = config;
  const secondFactors = createSecondFactors({ store, clock, log, folder, issuer: `Cairn ${hostname}` });
  const tickets = createSignInTickets(clock);

  /** A name that is no account's may be a password in the wrong field: it is not kept. */
  const claimed = (username: string): string => store.users.byName(username)?.username ?? '(no such user)';
  /** Runs a way of signing in; that it was refused is in the audit log. */
  async function signingIn<T>(
    what: string,
    username: string,
    from: Origin,
    run: () => Promise<T>,
  ): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const { address, userAgent } = from;
      audit.denied({ actor: null, claims: claimed(username), address, userAgent, what }, error);
      throw error;
    }
  }

  async function signIn(user: UserRow, from: Origin): Promise<SignedIn> {
    const { id, username: name, role } = user;
    audit.signedIn({
      actor: { kind: 'user', id, name, role, sessionId: null },
      ...{ address: from.address, userAgent: from.userAgent, what: 'session.login' },
    });
    const token = await sessions.create(user.id, from);
    const actor = await sessions.actorOf(token);
    if (!actor) throw new AppError('bad_credentials', 'The account was removed meanwhile.');
    log.info({ user: user.username, address: from.address }, 'signed in');
    return { token, actor };
  }

  const setup: Auth['setup'] = async ({ code, username, password, from }) => {
    if (!setupCode.needed()) throw new AppError('setup_done');
    const succeeded = throttle.attempt([
      { kind: 'setup', value: 'code' },
      { kind: 'address', value: addressOf(from.address) },
    ]);
    if (!setupCode.matches(code)) {
      log.warn({ address: from.address }, 'wrong first-run code');
      throw new AppError('setup_code_wrong');
    }
    // Only who has it is told so.
    if (setupCode.expired()) throw new AppError('setup_code_expired');
    succeeded();
    const issues = [...usernameIssues(username), ...passwordIssues(password, username, 'password')];
    if (issues.length > 0) throw issuesError(issues);
    const row = users.newRow(username, await hashPassword(password), 'admin');
    if (!store.users.insertFirst(row, SETUP_CODE_KEY)) throw new AppError('setup_done');
    return signIn(row, from);
  };

  const login: Auth['login'] = async ({ username, password, from }) => {
    const name = normalName(username);
    const succeeded = throttle.attempt([
      { kind: 'user', value: name },
      { kind: 'address', value: addressOf(from.address) },
    ]);
    const row = store.users.byName(name);
    if (!(await verifyPassword(row?.passwordHash ?? null, password)) || !row) {
      log.warn({ user: name, address: from.address }, 'login refused');
      throw new AppError('bad_credentials');
    }
    succeeded();
    return secondFactors.of(row.id).enabled ? { ticket: tickets.give(row.id) } : signIn(row, from);
  };

  const secondStep = async (userId: string | null, code: string, from: Origin): Promise<SignedIn> => {
    const row = userId === null ? undefined : store.users.byId(userId);
    if (!row) throw new AppError('second_factor_expired');
    const succeeded = throttle.attempt([{ kind: 'totp', value: row.id }]);
    if (!secondFactors.check(row.id, code)) throw new AppError('second_factor_wrong');
    succeeded();
    return signIn(row, from);
  };

  /** The password of somebody who is signed in. @throws AppError forbidden | throttled | bad_credentials */
  async function checkPassword(actor: Actor, password: string): Promise<UserRow> {
    const row = actor.kind === 'user' ? store.users.byId(actor.id) : undefined;
    if (!row) throw new AppError('forbidden', 'Only a person who is signed in has a password.');
    const succeeded = throttle.attempt([{ kind: 'user', value: row.username }]);
    if (!(await verifyPassword(row.passwordHash, password)))
      throw new AppError('bad_credentials', 'The present password is wrong.');
    succeeded();
    return row;
  }

  const changePassword: Auth['changePassword'] = async (actor, { current, next, from }) => {
    const row = await checkPassword(actor, current);
    const issues = passwordIssues(next, row.username, 'next');
    if (issues.length > 0) throw issuesError(issues);
    store.users.setPassword(row.id, await hashPassword(next));
    sessions.endAllOf(row.id);
    return signIn(row, from);
  };

  return {
    users,
    apiKeys,
    setup: (request) => signingIn('session.setup', '', request.from, () => setup(request)),
    login: (request) =>
      signingIn('session.login', normalName(request.username), request.from, () => login(request)),
    async secondStep({ ticket, code, from }) {
      const userId = tickets.userOf(ticket);
      const username = (userId && store.users.byId(userId)?.username) || '';
      const run = () => secondStep(userId, code, from);
      const signed = await signingIn('session.secondFactor', username, from, run);
      tickets.drop(ticket);
      return signed;
    },
    changePassword,
    secondFactors,
    async confirm(actor, password) {
      await checkPassword(actor, password);
      if (actor.sessionId) store.sessions.confirm(actor.sessionId, clock.now());
    },
    requireFresh({ kind, sessionId }) {
      if (config.reauthMs === 0 || kind !== 'user' || sessionId === null) return;
      const confirmedAt = store.sessions.find(sessionId)?.session.confirmedAt ?? 0;
      // A clock that was set back makes no session fresh for longer.
      if (Math.abs(clock.now() - confirmedAt) > config.reauthMs) throw new AppError('reauth_required');
    },
    resetSecondFactor(userId) {
      if (!store.users.byId(userId)) throw new AppError('user_not_found');
      secondFactors.remove(userId);
    },
    revokeOthers(actor) {
      if (actor.kind === 'user') sessions.endAllOf(actor.id, actor.sessionId);
    },
    setupNeeded: setupCode.needed,
    renewSetupCode: setupCode.renew,
    async identify({ token, apiKey, address = null }) {
      if (apiKey !== null) return apiKeys.actorOf(apiKey, address);
      return token ? sessions.actorOf(token, address) : null;
    },
    async createUser({ username, password, role }) {
      const issues = [...usernameIssues(username), ...passwordIssues(password, username, 'password')];
      if (issues.length > 0) throw issuesError(issues);
      return users.add(users.newRow(username, await hashPassword(password), role));
    },
    async resetPassword(username, password) {
      const row = store.users.byName(normalName(username));
      if (!row) throw new AppError('user_not_found', `There is no account ${username}.`);
      const issues = passwordIssues(password, row.username, 'password');
      if (issues.length > 0) throw issuesError(issues);
      store.users.setPassword(row.id, await hashPassword(password));
      // Who lost the password has often lost the phone.
      secondFactors.remove(row.id);
      sessions.endAllOf(row.id);
      throttle.forget({ kind: 'user', value: row.username });
      log.warn({ user: row.username }, 'the password was reset by root on this host');
      return users.view(row);
    },
    removeUser(id) {
      const ended = sessions.list(id, null);
      users.remove(id);
      secondFactors.remove(id);
      for (const session of ended) bus.emit('session.revoked', { sessionId: session.id });
    },
    listSessions: (actor) => (actor.kind === 'user' ? sessions.list(actor.id, actor.sessionId) : []),
    revokeSession(userId, sessionId) {
      if (!store.sessions.ofUser(userId).some((row) => row.id === sessionId))
        throw new AppError('not_found', 'There is no such session.');
      sessions.end(sessionId);
    },
    cleanUp() {
      sessions.cleanUp();
      throttle.cleanUp();
    },
  };
}
