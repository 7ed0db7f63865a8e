/**
 * Passwords, tokens and addresses that hold one: a file a channel that only root may read. A changed set gets a new name, so
 * that the record and its secrets change in one moment, the transaction that writes the name.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors';
import { writeFile } from '../host/write-file';

export type Secrets = Record<string, string>;
const shape = z.record(z.string(), z.string());

export interface ChannelSecrets {
  /** @returns the name under which they are kept */
  keep(secrets: Secrets): Promise<string>;
  /** @throws AppError channel_secret_needed when the file is gone or cannot be read */
  read(ref: string): Secrets;
  drop(ref: string): void;
  /** At the start: those that no record names go, as after a crash between the two. */
  sweep(isNeeded: (ref: string) => boolean): void;
}

export function createChannelSecrets(folder: string): ChannelSecrets {
  const make = (): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  };
  return {
    async keep(secrets) {
      make();
      const ref = randomUUID();
      await writeFile(join(folder, ref), JSON.stringify(secrets), 0o600);
      return ref;
    },
    read(ref) {
      try {
        return shape.parse(JSON.parse(readFileSync(join(folder, ref), 'utf8')));
      } catch (error) {
        throw new AppError(
          'channel_secret_needed',
          'The password or token of this channel is no longer there.',
          {
            cause: error,
          },
        );
      }
    },
    drop: (ref) => rmSync(join(folder, ref), { force: true }),
    sweep(isNeeded) {
      make();
      for (const ref of readdirSync(folder)) if (!isNeeded(ref)) rmSync(join(folder, ref), { force: true });
    },
  };
}

/** A text without any of the secrets, as they are or as an address would carry them. */
export const withoutSecrets = (text: string, secrets: Secrets): string =>
  Object.values(secrets)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret.length >= 4)
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '•••'), text);
