/**
 * Passwords of pools, such as that of an SMB share: a file a pool that only root may read, in the form that mount.cifs(8) takes
 * for credentials. They are taken out of a request before anybody writes it down, so no journal, plan, record, log or
 * argument of a program has them. The file is there before the operation begins, and goes with the record of the pool.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { poolCreateRequest, type PoolCreateRequest } from '$lib/shared/wire/requests';
import type { StoragePlugin } from '$lib/plugin-api/storage';
import { z } from 'zod';
import type { Config } from '../config';
import { issue, issuesError } from '../errors';
import { writeFile } from '../host/write-file';

type At = Pick<Config, 'dataDir'>;
export type PoolSecrets = Record<string, string>;

/** What is written down of a request: of its secrets the names only. */
export const poolCreatePlan = poolCreateRequest.extend({ secrets: z.array(z.string().max(64)).optional() });
export type PoolCreatePlan = z.infer<typeof poolCreatePlan>;

export const poolSecretsDir = ({ dataDir }: At): string => join(dataDir, 'pool-secrets');
export const secretsPath = (config: At, guid: string): string => join(poolSecretsDir(config), guid);

/**
 * @param plugin null: there is no such plugin, which is said when its plan is asked for
 * @throws AppError option_invalid for a value that the file cannot hold
 */
export function withoutSecrets(
  plugin: StoragePlugin | null,
  request: PoolCreateRequest,
): { plan: PoolCreatePlan; secrets: PoolSecrets } {
  const options = { ...request.options };
  const secrets: PoolSecrets = {};
  for (const [name, field] of Object.entries(plugin?.options ?? {})) {
    if (field.type !== 'secret') continue;
    const value = options[name];
    delete options[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string' || /\p{Cc}/u.test(value) || value.length > field.maxLength)
      throw issuesError([
        issue(
          'option_invalid',
          `${field.label} has to be a text of at most ${field.maxLength} characters, without line breaks.`,
          `options.${name}`,
          'Check what was pasted, then enter it again.',
        ),
      ]);
    if (!field.layouts || field.layouts.includes(request.layout)) secrets[name] = value;
  }
  const names = Object.keys(secrets);
  return { plan: { ...request, options, ...(names.length > 0 ? { secrets: names } : {}) }, secrets };
}

function makeFolder(config: At): void {
  mkdirSync(poolSecretsDir(config), { recursive: true, mode: 0o700 });
  chmodSync(poolSecretsDir(config), 0o700);
}

export async function keepSecrets(config: At, guid: string, secrets: PoolSecrets): Promise<void> {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  if (lines.length === 0) return;
  makeFolder(config);
  await writeFile(secretsPath(config, guid), lines.join(''), 0o600);
}

export const dropSecrets = (config: At, guid: string): void =>
  rmSync(secretsPath(config, guid), { force: true });

/** After a crash, before anything is asked for: those of pools without a record go. */
export function sweepSecrets(config: At, isNeeded: (guid: string) => boolean): void {
  makeFolder(config);
  for (const guid of readdirSync(poolSecretsDir(config))) if (!isNeeded(guid)) dropSecrets(config, guid);
}
