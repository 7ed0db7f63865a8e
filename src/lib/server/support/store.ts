/** Secrets of the tables, to be taken out of what is given away. */
import type { Db } from '../db/client';
import { eq } from 'drizzle-orm';
import { SETUP_CODE_KEY } from '../auth/setup-code';
import { apiKeys, meta, recoveryCodes, sessions, users } from '../db/schema';

export const secretsOf = (db: Db): string[] =>
  [
    ...db.select({ text: users.passwordHash }).from(users).all(),
    ...db.select({ text: apiKeys.hash }).from(apiKeys).all(),
    ...db.select({ text: sessions.id }).from(sessions).all(),
    ...db.select({ text: recoveryCodes.hash }).from(recoveryCodes).all(),
    ...db.select({ text: meta.value }).from(meta).where(eq(meta.key, SETUP_CODE_KEY)).all(),
  ].map(({ text }) => text);
