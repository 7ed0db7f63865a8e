/** Completion for bash and zsh, made from the same definition as the help. */
import type { Command, Option } from 'commander';

const flags = (options: readonly Option[]): string[] =>
  options
    .filter(({ hidden }) => !hidden)
    .flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined));
/** Those after which another word belongs to them. */
const withValue = (options: readonly Option[]): string[] =>
  flags(options.filter((option) => option.required || option.optional));
const summaryOf = (command: Command): string => command.summary().replaceAll(/['\\:]/g, ' ');

/** Nouns, verbs and options; after them file names. */
export function bashCompletion(program: Command): string {
  const common = flags(program.options).join(' ');
  const verbs = program.commands.flatMap((noun) => [noun, ...noun.commands]);
  const valued = [...new Set([program, ...verbs].flatMap(({ options }) => withValue(options)))];
  const cases = program.commands.flatMap((noun) => [
    `    ${noun.name()}) words="${[...noun.commands.map((verb) => verb.name()), ...flags(noun.options)].join(' ')} ${common}" ;;`,
    ...noun.commands.map(
      (verb) => `    "${noun.name()} ${verb.name()}") words="${flags(verb.options).join(' ')} ${common}" ;;`,
    ),
  ]);
  return `# bash completion of cairn: eval "$(cairn completion bash)"
_cairn() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      ${valued.join('|')}) ((at++)) ;;
      -*) ;;
      *) [ "$(wc -w <<<"$path")" -lt 2 ] && path="\${path:+$path }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path" in
    "") words="${program.commands.map((noun) => noun.name()).join(' ')} ${common}" ;;
${cases.join('\n')}
    *) words="${common}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _cairn cairn
`;
}

export function zshCompletion(program: Command): string {
  const listOf = (commands: readonly Command[]): string =>
    commands.map((command) => `'${command.name()}:${summaryOf(command)}'`).join(' ');
  const common = flags(program.options).join(' ');
  const nouns = program.commands
    .filter((noun) => noun.commands.length > 0)
    .map(
      (noun) =>
        `      ${noun.name()}) verbs=(${listOf(noun.commands)}); flags=(${[...new Set(noun.commands.flatMap((verb) => flags(verb.options)))].join(' ')}) ;;`,
    );
  return `#compdef cairn
# zsh completion of cairn: eval "$(cairn completion zsh)"
_cairn() {
  local -a nouns verbs flags
  nouns=(${listOf(program.commands)})
  if (( CURRENT == 2 )); then
    _describe 'command' nouns
  else
    case "\${words[2]}" in
${nouns.join('\n')}
    esac
    (( CURRENT == 3 && \${#verbs} )) && _describe 'verb' verbs
  fi
  compadd -- $flags ${common}
}
compdef _cairn cairn
`;
}
