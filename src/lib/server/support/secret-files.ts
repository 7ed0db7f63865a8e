/** Secrets in the files that only root reads, to be taken out of what is given away. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config';
import { poolSecretsDir } from '../pools/secrets';

type Folders = Pick<Config, 'dataDir' | 'secretsDir' | 'channelSecretsDir' | 'totpSecretsDir' | 'tlsDir'>;

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    : [];

/** Every text in a JSON value, at any depth. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
const bare = (text: string): string => text.trim().replace(/^(["'])(.*)\1$/, '$2');
/** Its lines, and of `name: value` and `name=value` the values. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line) => [bare(line), bare(/^[\s-]*[\w-]+\s*[:=]\s*(.+)$/.exec(line)?.[1] ?? '')]);

/** Nothing but secrets is in them. */
const allOf = (text: string): string[] => {
  const json = jsonOf(text);
  return [text.trim(), ...(json === null ? linesOf(text) : textsOf(json))];
};
/** A template with a secret in it: its words are none, and would take the sense out of everything. */
const isWord = (text: string): boolean => /^[A-Za-z_-]{0,20}$|^#cloud-config$/.test(text);

export const secretsInFiles = (config: Folders): string[] => [
  ...[config.channelSecretsDir, config.totpSecretsDir, poolSecretsDir(config)]
    .flatMap(filesIn)
    .flatMap(allOf),
  ...[config.secretsDir, config.tlsDir]
    .flatMap(filesIn)
    .flatMap(allOf)
    .filter((text) => !isWord(text)),
];
