/** All that the command can do, defined once: parsing, help, completion and man page are made from it. */
import { Argument, Command, Option } from 'commander';
import { backup } from './commands/backup';
import { boots } from './commands/boots';
import { doctor } from './commands/doctor';
import { drives } from './commands/drives';
import { images } from './commands/images';
import { networks } from './commands/networks';
import { operations } from './commands/operations';
import { alerts, users } from './commands/others';
import { plugins } from './commands/plugins';
import { pools } from './commands/pools';
import { status } from './commands/status';
import { supportBundle } from './commands/support-bundle';
import { update } from './commands/update';
import { vms } from './commands/vms';
import { bashCompletion, zshCompletion } from './completion';
import { manPage } from './man-page';
import { addNoun, addVerb, type Noun, type Runner } from './verb';

const NOUNS: Noun[] = [
  drives,
  pools,
  images,
  vms,
  networks,
  operations,
  plugins,
  alerts,
  boots,
  backup,
  update,
  users,
];

export const ENVIRONMENT: [string, string][] = [
  ['CAIRN_URL', 'As --url.'],
  ['CAIRN_API_KEY', 'The API key for that address.'],
  ['CAIRN_API_KEY_FILE', 'As --key-file.'],
  ['CAIRN_DATA_DIR', 'As --data-dir.'],
  ['NO_COLOR', 'Anything: no colours.'],
];

const DESCRIPTION =
  `Does from a terminal what the pages of Cairn do. On the host itself, root needs no key: the local socket
below the data directory is used. From elsewhere, give the address and an API key, which is read from a file or
the environment and never from the command line.`.replaceAll('\n', ' ');

/** @param print standard output, for what needs no Cairn */
export function buildProgram(runner: Runner, version: string, print: (text: string) => void): Command {
  const program = new Command('cairn')
    .summary('storage pools and virtual machines from a terminal')
    .description(DESCRIPTION)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say what can be done')
    .addOption(new Option('--json', 'answer with the documents of the API, for scripts'))
    .addOption(new Option('-y, --yes', 'do not ask: it is meant'))
    .addOption(new Option('-w, --wait', 'wait until the operation has ended'))
    .addOption(new Option('--url <address>', 'of a Cairn elsewhere, such as https://nas:8420'))
    .addOption(new Option('--key-file <path>', 'a file whose first line is the API key for it'))
    .addOption(new Option('--ca <path>', 'certificates to trust, PEM'))
    .addOption(new Option('--data-dir <path>', 'of the Cairn on this host'))
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showSuggestionAfterError(true)
    .showHelpAfterError('Say --help for what there is.')
    .exitOverride();
  addVerb(program, status, runner);
  addVerb(program, doctor, runner);
  addVerb(program, supportBundle, runner);
  for (const noun of NOUNS) addNoun(program, noun, runner);
  program
    .command('completion')
    .summary('Completion for a shell: eval "$(cairn completion bash)"')
    .description('Prints what makes the shell complete the words of this command.')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']))
    .action((shell: string) => print(shell === 'bash' ? bashCompletion(program) : zshCompletion(program)));
  program
    .command('man')
    .summary('The man page: cairn man | man -l -')
    .description('Prints the man page in roff.')
    .action(() => print(manPage(program, version, ENVIRONMENT)));
  return program;
}
