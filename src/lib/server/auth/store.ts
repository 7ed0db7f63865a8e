/** The tables of accounts, sessions, keys and failed attempts. Statements are prepared once: a session is looked up for every call. */
import { and, asc, count, desc, eq, lt, sql } from 'drizzle-orm';
import type { Role } from '$lib/shared/states';
import type { Db } from '../db/client';
import { apiKeys, loginThrottle, meta, recoveryCodes, sessions, users, userTotp } from '../db/schema';

export type UserRow = typeof users.$inferSelect;
type SessionRow = typeof sessions.$inferSelect;
export type ApiKeyRow = typeof apiKeys.$inferSelect;
export type ThrottleRow = typeof loginThrottle.$inferSelect;

const userStore = (db: Db) => {
  const byId = db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare();
  const byName = db
    .select()
    .from(users)
    .where(eq(users.username, sql.placeholder('username')))
    .prepare();
  const counted = db.select({ n: count() }).from(users).prepare();
  const store = {
    count: (): number => counted.get()?.n ?? 0,
    admins: (): number => db.select({ n: count() }).from(users).where(eq(users.role, 'admin')).get()?.n ?? 0,
    byId: (id: string): UserRow | undefined => byId.get({ id }),
    byName: (username: string): UserRow | undefined => byName.get({ username }),
    list: (): UserRow[] => db.select().from(users).orderBy(asc(users.username)).all(),
    /** False, and nothing written, when the name is taken. */
    insert: (row: UserRow): boolean => db.insert(users).values(row).onConflictDoNothing().run().changes === 1,
    /** The first account and the end of its code in one transaction; false when there is an account already. */
    insertFirst: (row: UserRow, codeKey: string): boolean =>
      db.transaction((tx) => {
        if ((tx.select({ n: count() }).from(users).get()?.n ?? 0) > 0) return false;
        tx.insert(users).values(row).run();
        tx.delete(meta).where(eq(meta.key, codeKey)).run();
        return true;
      }),
    setRole: (id: string, role: Role): void =>
      void db.update(users).set({ role }).where(eq(users.id, id)).run(),
    setPassword: (id: string, passwordHash: string): void =>
      void db.update(users).set({ passwordHash }).where(eq(users.id, id)).run(),
    remove: (id: string): void => void db.delete(users).where(eq(users.id, id)).run(),
  };
  return store;
};

const sessionStore = (db: Db) => {
  const found = db
    .select({ session: sessions, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(eq(sessions.id, sql.placeholder('id')))
    .prepare();
  return {
    find: (id: string): { session: SessionRow; user: UserRow } | undefined => found.get({ id }),
    ofUser: (userId: string): SessionRow[] =>
      db.select().from(sessions).where(eq(sessions.userId, userId)).orderBy(desc(sessions.createdAt)).all(),
    insert: (row: SessionRow): void => void db.insert(sessions).values(row).run(),
    extend: (id: string, expiresAt: number): void =>
      void db.update(sessions).set({ expiresAt }).where(eq(sessions.id, id)).run(),
    touch: (id: string, at: number, address: string): void =>
      void db.update(sessions).set({ lastSeenAt: at, lastAddress: address }).where(eq(sessions.id, id)).run(),
    confirm: (id: string, at: number): void =>
      void db.update(sessions).set({ confirmedAt: at }).where(eq(sessions.id, id)).run(),
    remove: (id: string): boolean => db.delete(sessions).where(eq(sessions.id, id)).run().changes > 0,
    removeExpired: (now: number): string[] =>
      db
        .delete(sessions)
        .where(lt(sessions.expiresAt, now))
        .returning({ id: sessions.id })
        .all()
        .map((row) => row.id),
  };
};

const apiKeyStore = (db: Db) => {
  const byHash = db
    .select()
    .from(apiKeys)
    .where(eq(apiKeys.hash, sql.placeholder('hash')))
    .prepare();
  return {
    byHash: (hash: string): ApiKeyRow | undefined => byHash.get({ hash }),
    list: (): ApiKeyRow[] => db.select().from(apiKeys).orderBy(desc(apiKeys.createdAt)).all(),
    insert: (row: ApiKeyRow): void => void db.insert(apiKeys).values(row).run(),
    touch: (id: string, at: number, address: string | null): void =>
      void db.update(apiKeys).set({ lastUsedAt: at, lastAddress: address }).where(eq(apiKeys.id, id)).run(),
    remove: (id: string): boolean => db.delete(apiKeys).where(eq(apiKeys.id, id)).run().changes > 0,
  };
};

const throttleStore = (db: Db) => ({
  get: (key: string): ThrottleRow | undefined =>
    db.select().from(loginThrottle).where(eq(loginThrottle.key, key)).get(),
  put: (row: ThrottleRow): void =>
    void db
      .insert(loginThrottle)
      .values(row)
      .onConflictDoUpdate({ target: loginThrottle.key, set: row })
      .run(),
  remove: (key: string): void => void db.delete(loginThrottle).where(eq(loginThrottle.key, key)).run(),
  removeOlder: (at: number, now: number): void =>
    void db
      .delete(loginThrottle)
      .where(and(lt(loginThrottle.lastAt, at), lt(loginThrottle.blockedUntil, now)))
      .run(),
});

const totpStore = (db: Db) => {
  const ofUser = (userId: string) => db.select().from(userTotp).where(eq(userTotp.userId, userId)).get();
  return {
    get: ofUser,
    userIds: (): string[] =>
      db
        .select({ id: userTotp.userId })
        .from(userTotp)
        .all()
        .map(({ id }) => id),
    refs: (): string[] =>
      db
        .select({ ref: userTotp.secretRef })
        .from(userTotp)
        .all()
        .map(({ ref }) => ref),
    /** The secret's name and the codes of the paper in one transaction; what was there before goes. */
    set: (row: typeof userTotp.$inferInsert, codeHashes: string[]): void =>
      db.transaction((tx) => {
        const { userId } = row;
        tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId)).run();
        tx.insert(userTotp).values(row).onConflictDoUpdate({ target: userTotp.userId, set: row }).run();
        for (const hash of codeHashes) tx.insert(recoveryCodes).values({ hash, userId }).run();
      }),
    setCodes: (userId: string, codeHashes: string[]): void =>
      db.transaction((tx) => {
        tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId)).run();
        for (const hash of codeHashes) tx.insert(recoveryCodes).values({ hash, userId }).run();
      }),
    /** False when this step, or a later one, has been used. */
    useStep: (userId: string, step: number): boolean =>
      db
        .update(userTotp)
        .set({ lastStep: step })
        .where(and(eq(userTotp.userId, userId), lt(userTotp.lastStep, step)))
        .run().changes === 1,
    useCode: (userId: string, hash: string): boolean =>
      db
        .delete(recoveryCodes)
        .where(and(eq(recoveryCodes.userId, userId), eq(recoveryCodes.hash, hash)))
        .run().changes === 1,
    codesLeft: (userId: string): number =>
      db.select({ n: count() }).from(recoveryCodes).where(eq(recoveryCodes.userId, userId)).get()?.n ?? 0,
    remove: (userId: string): void =>
      db.transaction((tx) => {
        tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId)).run();
        tx.delete(userTotp).where(eq(userTotp.userId, userId)).run();
      }),
  };
};

const metaStore = (db: Db) => ({
  get: (key: string): string | undefined => db.select().from(meta).where(eq(meta.key, key)).get()?.value,
  set: (key: string, value: string): void =>
    void db
      .insert(meta)
      .values({ key, value })
      .onConflictDoUpdate({ target: meta.key, set: { value } })
      .run(),
  remove: (key: string): void => void db.delete(meta).where(eq(meta.key, key)).run(),
});

export const createAuthStore = (db: Db) => ({
  users: userStore(db),
  sessions: sessionStore(db),
  apiKeys: apiKeyStore(db),
  throttle: throttleStore(db),
  totp: totpStore(db),
  meta: metaStore(db),
});
export type AuthStore = ReturnType<typeof createAuthStore>;
