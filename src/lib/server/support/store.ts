/** Secrets of the tables, to be taken out of what is given away. */
import type { Db } from '../db/client';
import { apiKeys, recoveryCodes, sessions, users } from '../db/schema';

export const secretsOf = (db: Db): string[] =>
  [
    ...db.select({ text: users.passwordHash }).from(users).all(),
    ...db.select({ text: apiKeys.hash }).from(apiKeys).all(),
    ...db.select({ text: sessions.id }).from(sessions).all(),
    ...db.select({ text: recoveryCodes.hash }).from(recoveryCodes).all(),
  ].map(({ text }) => text);
