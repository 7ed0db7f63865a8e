/**
 * The code of the first run. Whoever can read the server's console or log proves with it that the machine is theirs, so
 * a stranger on the network cannot make the first account. Only its hash is kept, each start makes a new one, and it is
 * gone once an account exists.
 */
import { randomInt } from 'node:crypto';
import { sameHash, sha256 } from './secrets';
import type { AuthStore } from './store';

/** No I, L, O, 0, 1, U or V: nothing that can be misread from a console. 12 of 29 characters are 58 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTWXYZ23456789';
const GROUPS = 3;
const GROUP_LENGTH = 4;
export const SETUP_CODE_KEY = 'setup_code_hash';

/** As it is compared: lower case, spaces and dashes do not matter. */
const normalised = (code: string): string => code.toUpperCase().replace(/[^A-Z0-9]/g, '');

export function createSetupCode(store: Pick<AuthStore, 'meta' | 'users'>) {
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
      store.meta.set(SETUP_CODE_KEY, sha256(normalised(code)));
      return code;
    },
    matches(code: string): boolean {
      const stored = store.meta.get(SETUP_CODE_KEY);
      return stored !== undefined && sameHash(stored, sha256(normalised(code)));
    },
  };
}
