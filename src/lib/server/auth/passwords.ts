/**
 * Argon2id with the parameters that OWASP's Password Storage Cheat Sheet gives: 19 MiB, 2 passes, 1 lane. It works on
 * the thread pool, so a login never holds up the event loop.
 */
import { hash, verify } from '@node-rs/argon2';
import { issue } from '../errors';
import type { Issue } from '$lib/shared/error-codes';

const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

const MIN_PASSWORD_LENGTH = 10;

export const hashPassword = (password: string): Promise<string> => hash(password, PARAMETERS);

/** With no hash (no such user) it does the same work and says no: the time taken does not tell who has an account. */
export async function verifyPassword(storedHash: string | null, password: string): Promise<boolean> {
  if (storedHash !== null) return verify(storedHash, password);
  await hashPassword(password);
  return false;
}

/** What is wrong with a new password; empty when it can be used. */
export function passwordIssues(password: string, username: string, field: string): Issue[] {
  if ([...password].length < MIN_PASSWORD_LENGTH)
    return [issue('password_weak', `A password has at least ${MIN_PASSWORD_LENGTH} characters.`, field)];
  // A name of one or two letters is in every other phrase.
  const holdsName = username.length > 2 && password.toLowerCase().includes(username.toLowerCase());
  if (new Set(password).size < 4 || holdsName)
    return [
      issue(
        'password_weak',
        'The password repeats itself or holds the user name.',
        field,
        'Use at least 10 characters, for example four words that do not belong together.',
      ),
    ];
  return [];
}
