/**
 * Pairs of key and certificates, a file each that only root may read, and one small file that says which of them is in use. So
 * another one is taken in use by writing one name, at once or not at all, and no plan ever holds a key.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateView } from '$lib/shared/wire/certificates';
import { AppError } from '../errors';
import { writeFile } from '../host/write-file';
import { judgePair, type Pair } from './pair';

/** `own-<SHA-256 of what it holds>`; a name says who made it. */
const NAME = /^(own|given)-[0-9a-f]{64}$/;
type Kind = CertificateView['kind'];

export interface Kept {
  name: string;
  kind: Kind;
  pair: Pair;
}
export interface CertificateFiles {
  /** Says which one is in use, and what it says now; null: none yet. */
  inUsePath: string;
  inUse(): string | null;
  /** @returns the name */
  keep(kind: Kind, pair: Pair): Promise<string>;
  /** @throws AppError certificate_gone when it is not there, or is no pair any more */
  read(name: string): Kept;
  use(name: string): Promise<void>;
  drop(name: string): void;
  /** Removes those that nobody needs. */
  sweep(isNeeded: (name: string) => boolean): void;
}

/** What the file says that names the one in use. */
export const inUseText = (name: string): string => `${name}\n`;

function textIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function createCertificateFiles(folder: string): CertificateFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const inUsePath = join(folder, 'in-use');
  const pathOf = (name: string): string => join(folder, `${name}.pem`);
  return {
    inUsePath,
    inUse: () => textIfThere(inUsePath)?.trim() ?? null,
    async keep(kind, pair) {
      const content = `${pair.key}${pair.chain}`;
      const name = `${kind}-${createHash('sha256').update(content).digest('hex')}`;
      await writeFile(pathOf(name), content, 0o600);
      return name;
    },
    read(name) {
      const text = NAME.test(name) ? textIfThere(pathOf(name)) : null;
      // One that has expired meanwhile is served all the same: better than none.
      const pair = text === null ? null : judgePair({ chain: text, key: text }, null).pair;
      if (!pair) throw new AppError('certificate_gone', 'The certificate is not there, or it is damaged.');
      return { name, kind: name.startsWith('own-') ? 'own' : 'given', pair };
    },
    use: (name) => writeFile(inUsePath, inUseText(name), 0o600),
    drop: (name) => rmSync(pathOf(name), { force: true }),
    sweep(isNeeded) {
      for (const file of readdirSync(folder)) {
        const name = file.replace(/\.pem$/, '');
        if (file !== 'in-use' && !isNeeded(name)) rmSync(join(folder, file), { force: true });
      }
    },
  };
}
