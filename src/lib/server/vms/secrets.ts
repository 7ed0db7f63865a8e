/**
 * The password that a machine's user gets, as a file that only root may read, from the request until the machine has
 * been made: its hash is in no plan, no journal, no argument of a program and no log.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors';
import { PROGRAMS } from '../host/programs';
import type { CommandRunner } from '../host/types';
import { writeFile } from '../host/write-file';
import { vendorData } from './cloud-init';

/** crypt(3) by the machine's own library; the password comes by standard input. */
const CRYPT = 'binmode STDIN; local $/; my $password = <STDIN>; print crypt($password, $ARGV[0]);';
/** SHA-512, which every distribution's login understands (crypt(5)). */
const HASH = /^\$6\$[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}$/;

async function hashForLogin(commands: Pick<CommandRunner, 'read'>, password: string): Promise<string> {
  const salt = randomBytes(12).toString('base64').replaceAll('+', '.');
  const { stdout } = await commands.read(PROGRAMS.perl, ['-e', CRYPT, `$6$${salt}$`], { stdin: password });
  if (!HASH.test(stdout)) throw new AppError('parse_failed', 'crypt(3) gave no SHA-512 hash.');
  return stdout;
}

export interface VmSecrets {
  /** Where the file of this machine is, or would be. */
  path(id: string): string;
  isThere(id: string): boolean;
  keep(id: string, user: string, password: string): Promise<void>;
  drop(id: string): Promise<void>;
  /** After a crash, before anything is asked for: those that nobody needs go. */
  sweep(isNeeded: (id: string) => boolean): void;
}

export function createVmSecrets(folder: string, commands: Pick<CommandRunner, 'read'>): VmSecrets {
  const path = (id: string): string => join(folder, id);
  const drop = (id: string): Promise<void> => rm(path(id), { force: true });
  return {
    path,
    isThere: (id) => existsSync(path(id)),
    async keep(id, user, password) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
      await writeFile(path(id), vendorData(user, await hashForLogin(commands, password)), 0o600);
    },
    drop,
    sweep(isNeeded) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const id of readdirSync(folder)) if (!isNeeded(id)) rmSync(path(id), { force: true });
    },
  };
}
