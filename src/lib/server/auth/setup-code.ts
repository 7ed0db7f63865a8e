/**
 * The code of the first run. Whoever can read the server's console or log proves with it that the machine is theirs, so
 * a stranger on the network cannot make the first account. Only its hash is kept, each start makes a new one, it is good for
 * a day, and it is gone once an account exists.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../clock';
import { sameHash, sha256 } from './secrets';
import type { AuthStore } from './store';

/** No I, L, O, 0, 1, U or V: nothing that can be misread from a console. 12 of 29 characters are 58 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTWXYZ23456789';
const GROUPS = 3;
const GROUP_LENGTH = 4;
/** A code that is left in the scrollback of a console opens nothing for ever. */
export const SETUP_CODE_MS = 24 * 3_600_000;
export const SETUP_CODE_KEY = 'setup_code_hash';

/** As it is compared: lower case, spaces and dashes do not matter. */
const normalised = (code: string): string => code.toUpperCase().replace(/[^A-Z0-9]/g, '');

export function createSetupCode(store: Pick<AuthStore, 'meta' | 'users'>, clock: Pick<Clock, 'now'>) {
  let expiresAt = 0;
  return {
    needed: (): boolean => store.users.count() === 0,
    /** A new code, for the console; null when an account exists. The former one no longer works. */
    renew(): string | null {
      if (store.users.count() > 0) {
        store.meta.remove(SETUP_CODE_KEY);
        return null;
      }
      const group = (): string =>
        Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
      const code = Array.from({ length: GROUPS }, group).join('-');
      expiresAt = clock.now() + SETUP_CODE_MS;
      store.meta.set(SETUP_CODE_KEY, sha256(normalised(code)));
      return code;
    },
    expired: (): boolean => clock.now() >= expiresAt,
    matches(code: string): boolean {
      const stored = store.meta.get(SETUP_CODE_KEY);
      return stored !== undefined && sameHash(stored, sha256(normalised(code)));
    },
  };
}
