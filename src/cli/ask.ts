/** Questions at the terminal. They are asked on standard error, so that standard output stays what scripts read. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CliError, EXIT } from './exit-codes';
import type { Context } from './context';

/** Who presses Ctrl-C or Ctrl-D at a question has answered it. @throws CliError refused */
async function answered(asking: Promise<string>): Promise<string> {
  try {
    return await asking;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    process.stderr.write('\n');
    throw new CliError(EXIT.refused, 'Nothing was done.');
  }
}

/** Returns when the answer is yes. @throws CliError refused, or usage when nobody can be asked */
export async function confirm({ options, isInteractive }: Context, question: string): Promise<void> {
  if (options.yes) return;
  if (!isInteractive)
    throw new CliError(EXIT.usage, `${question} Nobody can be asked here.`, {
      remedy: 'Say --yes if you mean it.',
    });
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await answered(line.question(`${question} [y/N] `));
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.refused, 'Nothing was done.');
  } finally {
    line.close();
  }
}

/** A word that has to be typed, for what a yes is too quick for. */
export async function typed({ isInteractive }: Context, question: string): Promise<string | null> {
  if (!isInteractive) return null;
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await answered(line.question(question))).trim();
  } finally {
    line.close();
  }
}

/** What is typed is not shown. */
async function hidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    const text = await answered(line.question(''));
    process.stderr.write('\n');
    return text;
  } finally {
    line.close();
  }
}

async function firstLine(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/)[0] ?? '';
}

/** A new password: typed twice, or the first line of standard input. Never an argument, which everybody could see. */
export async function newPassword({ isInteractive }: Context, fromInput: boolean): Promise<string> {
  if (fromInput) return firstLine();
  if (!isInteractive)
    throw new CliError(EXIT.usage, 'Nobody can be asked for the password here.', {
      remedy: 'Say --password-stdin and send it as the first line.',
    });
  const password = await hidden('New password: ');
  if ((await hidden('The same again: ')) !== password)
    throw new CliError(EXIT.refused, 'The two are not the same. Nothing was done.');
  return password;
}
