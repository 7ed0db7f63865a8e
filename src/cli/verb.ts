/** One way to define a verb, so that help, completion and man page all know the same. */
import { Command, Option, Argument } from 'commander';
import type { Context } from './context';
import type { ExitCode } from './exit-codes';

export interface Verb {
  /** As in commander: `show <pool>`. */
  usage: string;
  summary: string;
  /** What the arguments mean, by their names. */
  arguments?: Record<string, string>;
  options?: Option[];
  /** It is what its noun alone means. */
  isDefault?: boolean;
  /** Nothing means success. */
  run(
    context: Context,
    words: string[],
    options: Record<string, string | string[] | boolean | undefined>,
  ): Promise<ExitCode | void>;
}
export type Runner = (verb: Verb, words: string[], command: Command) => Promise<void>;

export function addVerb(parent: Command, verb: Verb, runner: Runner): void {
  const [name = '', ...words] = verb.usage.split(' ');
  const command = parent.command(name, { isDefault: verb.isDefault ?? false }).summary(verb.summary);
  command.description(`${verb.summary}.`);
  for (const word of words)
    command.addArgument(new Argument(word, verb.arguments?.[word.replace(/[<>[\].]/g, '')] ?? ''));
  for (const option of verb.options ?? []) command.addOption(option);
  command.action(async (...given: unknown[]) => {
    const values = given.slice(0, words.length).flat();
    await runner(
      verb,
      values.filter((value): value is string => typeof value === 'string'),
      command,
    );
  });
}

/** A noun with its verbs. */
export interface Noun {
  name: string;
  summary: string;
  verbs: Verb[];
}
export function addNoun(program: Command, { name, summary, verbs }: Noun, runner: Runner): void {
  const noun = program.command(name).summary(summary).description(`${summary}.`);
  for (const verb of verbs) addVerb(noun, verb, runner);
}
