/** The man page in roff (man(7)), made from the same definition as the help. */
import type { Command, Option } from 'commander';
import { EXIT_MEANINGS } from './exit-codes';

/** A backslash, a dash, and a point or quote at the beginning of a line mean something to roff. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');

const optionLines = (options: readonly Option[]): string[] =>
  options
    .filter(({ hidden }) => !hidden)
    .flatMap(({ flags, description }) => ['.TP', `\\fB${roff(flags)}\\fR`, roff(`${description}.`)]);

function verbLines(program: Command, noun: Command, verb: Command): string[] {
  const words = verb.registeredArguments.map((argument) => `<${argument.name()}>`).join(' ');
  const path = noun === verb ? noun.name() : `${noun.name()} ${verb.name()}`;
  return [
    '.TP',
    `\\fB${roff(`${program.name()} ${path}`)}\\fR ${roff(words)}`.trimEnd(),
    roff(`${verb.summary()}.`),
    ...(verb.options.length > 0 ? ['.RS', ...optionLines(verb.options), '.RE'] : []),
  ];
}

export function manPage(program: Command, version: string, environment: [string, string][]): string {
  const nouns = program.commands.flatMap((noun) =>
    (noun.commands.length > 0 ? noun.commands : [noun]).flatMap((verb) => verbLines(program, noun, verb)),
  );
  return `${[
    `.TH CAIRN 8 "" "Cairn ${roff(version)}" "System administration"`,
    '.SH NAME',
    `cairn \\- ${roff(program.summary())}`,
    '.SH SYNOPSIS',
    '.B cairn',
    '[\\fIoptions\\fR] \\fIcommand\\fR [\\fIverb\\fR] [\\fIarguments\\fR]',
    '.SH DESCRIPTION',
    roff(program.description()),
    '.SH COMMANDS',
    ...nouns,
    '.SH OPTIONS',
    ...optionLines(program.options),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_MEANINGS).flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...environment.flatMap(([name, meaning]) => ['.TP', `.B ${name}`, roff(meaning)]),
    '.SH SEE ALSO',
    roff('The same verbs are served as REST below /api/v1.'),
  ].join('\n')}\n`;
}
