/**
 * The command `cairn`: parses, connects, and ends with a code that scripts can rely on. It is a client like any other: it has no
 * part of the server in it, and talks REST. Built into one file, build/cli/cairn.js; `src/cli/cairn` starts it with the right Node.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError, type Command } from 'commander';
import { version } from '../../package.json';
import { connect, type Target } from './connection';
import { CliError, EXIT, type ExitCode } from './exit-codes';
import { buildProgram } from './program';
import { styled } from './table';
import type { Runner } from './verb';

interface Globals {
  json?: boolean;
  yes?: boolean;
  wait?: boolean;
  url?: string;
  keyFile?: string;
  ca?: string;
  dataDir?: string;
}
const env = process.env;
const out = (text: string): void => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
const err = (text: string): void => void process.stderr.write(`${text}\n`);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError(
      EXIT.usage,
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
    );
  }
}

/** Where an installed Cairn keeps its data, and where one does that runs from a checkout. */
function dataDirOf(given: string | undefined): string {
  const installed = '/var/lib/cairn';
  const checkout = env.CAIRN_CHECKOUT ? join(env.CAIRN_CHECKOUT, '.cairn') : installed;
  const isThere = existsSync(join(checkout, 'local.sock'));
  return given ?? env.CAIRN_DATA_DIR ?? (isThere ? checkout : installed);
}

function targetOf(options: Globals): Target {
  const address = options.url ?? (options.dataDir === undefined ? env.CAIRN_URL : undefined);
  if (!address) return { socketPath: join(dataDirOf(options.dataDir), 'local.sock') };
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new CliError(EXIT.usage, `${address} is no address.`, {
      remedy: 'Write it like https://nas:8420.',
    });
  const keyFile = options.keyFile ?? env.CAIRN_API_KEY_FILE;
  const key = (keyFile === undefined ? env.CAIRN_API_KEY : read(keyFile))?.split(/\r?\n/)[0]?.trim();
  if (!key)
    throw new CliError(EXIT.usage, 'An address needs an API key.', {
      remedy: 'Put one from Settings into a file and give --key-file, or into CAIRN_API_KEY.',
    });
  if (/[^\x21-\x7e]/.test(key)) throw new CliError(EXIT.usage, 'What was given as the API key is none.');
  return { url, key, ca: options.ca === undefined ? null : read(options.ca) };
}

const run: Runner = async (verb, words, command: Command) => {
  const options: Globals & Record<string, string | string[] | boolean | undefined> =
    command.optsWithGlobals();
  const json = options.json === true;
  const code = await verb.run(
    {
      api: connect(targetOf(options)),
      options: { json, yes: options.yes === true, wait: options.wait === true },
      show: (document, text) => out(json ? JSON.stringify(document, null, 2) : text()),
      print: out,
      note: err,
      width: process.stdout.isTTY ? process.stdout.columns : Infinity,
      isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    },
    words,
    options,
  );
  process.exitCode = code ?? EXIT.done;
};

interface FieldIssue {
  field?: string;
  message: string;
}
/** Says what went wrong and what to do; as data with --json. @returns how the command ends */
function tell(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof CliError)) throw error;
  const { message, code, remedy, details, exitCode } = error;
  if (process.argv.includes('--json')) {
    err(JSON.stringify({ error: { code, message, remedy, details } }));
    return exitCode;
  }
  err(`${styled('red', 'cairn:', process.stderr)} ${message}`);
  const issues = Array.isArray(details['issues']) ? (details['issues'] as FieldIssue[]) : [];
  if (issues.length > 1)
    for (const issue of issues) err(`  ${issue.field ? `${issue.field}: ` : ''}${issue.message}`);
  if (remedy) err(`  ${remedy}`);
  return exitCode;
}

// Who reads has seen enough, `| head` for example.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);
try {
  await buildProgram(run, version, out).parseAsync(process.argv);
} catch (error) {
  process.exitCode = tell(error);
}
