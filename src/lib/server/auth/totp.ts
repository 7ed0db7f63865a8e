/**
 * A second factor: codes of a phone (RFC 6238: SHA-1, six digits, thirty seconds, as every app has them) and, for the day
 * on which the phone is gone, ten recovery codes of which only hashes are kept. A code counts once: its step is written
 * in the statement that asks whether it, or a later one, was used before.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import encodeQR from 'qr';
import type { SecondFactorOffer, SecondFactorView } from '$lib/shared/wire/session';
import type { Clock } from '../clock';
import { AppError } from '../errors';
import { writeFile } from '../host/write-file';
import type { Logger } from '../log';
import { sha256 } from './secrets';
import type { AuthStore } from './store';

const PERIOD_S = 30;
const SECRET_BYTES = 20;
const CODES = 10;
const OFFER_MS = 15 * 60_000;
/** 16 of 29 characters are 77 bits: nothing that can be misread on paper. */
const ALPHABET = 'abcdefghjkmnpqrstwxyz23456789';

const normalised = (code: string): string => code.toLowerCase().replace(/[^a-z0-9]/g, '');
const newCode = (): string => {
  const group = (): string => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return [group(), group(), group(), group()].join('-');
};

export interface SecondFactors {
  of(userId: string): SecondFactorView;
  /** A secret to be scanned; nothing is kept before a code of it was right. */
  offer(userId: string, username: string): SecondFactorOffer;
  /** @returns the recovery codes, shown this once @throws AppError second_factor_wrong | second_factor_state */
  enable(userId: string, code: string): Promise<string[]>;
  /** New recovery codes for the former ones. @throws AppError second_factor_state */
  renewCodes(userId: string): string[];
  /** True for a code of now that was not used before, and for a recovery code, which is then used up. */
  check(userId: string, code: string): boolean;
  remove(userId: string): void;
}

interface Parts {
  store: Pick<AuthStore, 'totp'>;
  clock: Clock;
  log: Logger;
  folder: string;
  issuer: string;
}

export function createSecondFactors({
  store: { totp: store },
  clock,
  log,
  folder,
  issuer,
}: Parts): SecondFactors {
  const offers = new Map<string, { secret: string; until: number }>();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const needed = new Set(store.refs());
  for (const name of readdirSync(folder)) if (!needed.has(name)) rmSync(join(folder, name), { force: true });

  const codesOf = (secret: string): TOTP =>
    new TOTP({ issuer, algorithm: 'SHA1', digits: 6, period: PERIOD_S, secret: Secret.fromBase32(secret) });
  /** The step that the code belongs to: of now, or of the thirty seconds before or after. */
  function stepOf(secret: string, code: string): number | null {
    const token = code.replace(/\s/g, '');
    if (!/^\d{6}$/.test(token)) return null;
    const timestamp = clock.now();
    const delta = codesOf(secret).validate({ token, timestamp, window: 1 });
    return delta === null ? null : Math.floor(timestamp / 1_000 / PERIOD_S) + delta;
  }
  const forget = (ref: string | undefined): void => {
    if (ref) rmSync(join(folder, ref), { force: true });
  };
  function secretOf(ref: string): string | null {
    try {
      return readFileSync(join(folder, ref), 'utf8');
    } catch (error) {
      log.error({ error }, 'the secret of a second factor cannot be read: only recovery codes open');
      return null;
    }
  }
  const newCodes = (): string[] => Array.from({ length: CODES }, newCode);
  const hashes = (codes: string[]): string[] => codes.map((code) => sha256(normalised(code)));

  return {
    of: (userId) => ({
      enabled: store.get(userId) !== undefined,
      recoveryCodesLeft: store.codesLeft(userId),
    }),
    offer(userId, username) {
      const secret = new Secret({ size: SECRET_BYTES }).base32;
      offers.set(userId, { secret, until: clock.now() + OFFER_MS });
      const uri = new TOTP({
        ...{ issuer, label: username, algorithm: 'SHA1', digits: 6, period: PERIOD_S },
        secret: Secret.fromBase32(secret),
      }).toString();
      return { secret, uri, svg: encodeQR(uri, 'svg', { ecc: 'medium', border: 2 }) };
    },
    async enable(userId, code) {
      const offer = offers.get(userId);
      if (!offer || offer.until < clock.now())
        throw new AppError('second_factor_state', 'The code to scan is too old. Begin again.');
      const step = stepOf(offer.secret, code);
      if (step === null) throw new AppError('second_factor_wrong');
      const before = store.get(userId)?.secretRef;
      const ref = randomUUID();
      await writeFile(join(folder, ref), offer.secret, 0o600);
      const codes = newCodes();
      store.set({ userId, secretRef: ref, lastStep: step, createdAt: clock.now() }, hashes(codes));
      offers.delete(userId);
      forget(before);
      return codes;
    },
    renewCodes(userId) {
      if (!store.get(userId)) throw new AppError('second_factor_state', 'There is no second factor.');
      const codes = newCodes();
      store.setCodes(userId, hashes(codes));
      return codes;
    },
    check(userId, code) {
      const row = store.get(userId);
      if (!row) return false;
      const secret = secretOf(row.secretRef);
      const step = secret === null ? null : stepOf(secret, code);
      if (step !== null) return store.useStep(userId, step);
      return store.useCode(userId, sha256(normalised(code)));
    },
    remove(userId) {
      const ref = store.get(userId)?.secretRef;
      store.remove(userId);
      forget(ref);
    },
  };
}
