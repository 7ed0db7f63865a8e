import { Option } from 'commander';
import { CliError, EXIT } from '../exit-codes';
import type { Verb } from '../verb';

export const supportBundle: Verb = {
  usage: 'support-bundle',
  summary: 'What somebody who helps needs to know of this host, as one archive without secrets',
  options: [new Option('-o, --output <file>', 'where it goes').default('cairn-support.tar.gz')],
  async run({ api, show }, _words, { output }) {
    const file = String(output);
    await api.save('/support-bundle', file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw new CliError(EXIT.usage, `${file} is there already.`, {
        remedy: 'Name another one with --output.',
      });
    });
    show({ file }, () => `Written to ${file}. Look into it before you give it away.`);
  },
};
